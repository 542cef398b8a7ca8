using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Reflection.V1;
using Google.Protobuf.Reflection;
using Request = Cluster.Contracts.Protocol.Reflection.V1.ServerReflectionRequest.MessageRequestOneofCase;

namespace Cluster.Gateway.Grpc.Reflection;

/// <summary>
/// <c>grpc.reflection.v1.ServerReflection</c>, and v1alpha too: the messages of both are the same on the wire, so one handler of bytes
/// serves both.
/// </summary>
internal sealed class ReflectionService(GrpcServiceRegistry registry, CancellationToken stopping)
{
    // Services may be mapped after this one; the first question comes when all are.
    private readonly Lazy<DescriptorIndex> _index = new(() => new DescriptorIndex(registry.Services));

    public async ValueTask<Failure?> ServeAsync(GrpcCallContext call, GrpcStreamReader requests, GrpcStreamWriter responses)
    {
        await ServerStop.EndWithAsync(call, async cancellation =>
        {
            while (await requests.ReadAsync(cancellation).ConfigureAwait(false) is { } bytes)
            {
                var request = TypedMethods.Parse(ServerReflectionRequest.Parser, bytes);
                await responses.WriteAsync(TypedMethods.Serialize(Answer(request))).ConfigureAwait(false);
            }
        }, stopping).ConfigureAwait(false);
        return null;
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        var index = _index.Value;
        switch (request.MessageRequestCase)
        {
            case Request.ListServices:
                response.ListServicesResponse = new ListServiceResponse
                {
                    Service = { index.Services.Select(service => new ServiceResponse { Name = service.FullName }) },
                };
                break;
            case Request.FileByFilename:
                AnswerFile(response, index.FindFile(request.FileByFilename), $"no file '{request.FileByFilename}'");
                break;
            case Request.FileContainingSymbol:
                AnswerFile(response, index.FindSymbol(request.FileContainingSymbol), $"no symbol '{request.FileContainingSymbol}'");
                break;
            case Request.FileContainingExtension:
                var extension = request.FileContainingExtension;
                AnswerError(response, StatusCode.NotFound, $"no extension {extension.ExtensionNumber} of '{extension.ContainingType}'");
                break;
            case Request.AllExtensionNumbersOfType:
                AnswerExtensions(response, index, request.AllExtensionNumbersOfType);
                break;
            default:
                AnswerError(response, StatusCode.InvalidArgument, "the request asks nothing");
                break;
        }

        return response;
    }

    private static void AnswerFile(ServerReflectionResponse response, FileDescriptor? file, string missing)
    {
        if (file is null)
        {
            AnswerError(response, StatusCode.NotFound, missing);
            return;
        }

        response.FileDescriptorResponse = new FileDescriptorResponse
        {
            FileDescriptorProto = { DescriptorIndex.WithDependencies(file).Select(item => item.SerializedData) },
        };
    }

    // The protocol files are proto3: a known message has no extensions.
    private static void AnswerExtensions(ServerReflectionResponse response, DescriptorIndex index, string type)
    {
        if (index.HasMessage(type))
        {
            response.AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = type };
            return;
        }

        AnswerError(response, StatusCode.NotFound, $"no message '{type}'");
    }

    private static void AnswerError(ServerReflectionResponse response, StatusCode code, string message) =>
        response.ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message };
}

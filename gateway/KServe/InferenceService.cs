using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.KServe;

/// <summary><c>ModelInfer</c> and <c>ModelStreamInfer</c>: the methods whose messages stay bytes.</summary>
internal sealed class InferenceService(
    IServingApi api,
    StreamInference streams,
    CallBoundary boundary,
    PayloadRoom room,
    TimeProvider time,
    LateFailures late,
    IOptions<GrpcServiceOptions<InferenceService>> options)
{
    private int Limit => options.Value.MaxReceiveMessageSize!.Value;

    /// <summary>Reads what routing needs of a request and leaves the tensors alone. The call takes over <paramref name="message"/>.</summary>
    /// <exception cref="ServingException">The header names no model that could be, or what is not offered; the message stays the caller's.</exception>
    public static InferCall Read(
        IServingApi api, CallBoundary boundary, ServerCallContext call, PayloadBuffer message, in InferRequestHeader header)
    {
        if (header.Refusal is { } refusal)
        {
            throw new ServingException(refusal);
        }

        var bytes = message.Span;
        var http = call.GetHttpContext();
        var target = api.Resolve(Encoding.UTF8.GetString(header.ModelName.Of(bytes)), http);
        var version = Encoding.UTF8.GetString(header.ModelVersion.Of(bytes));
        return new InferCall(target.Model, version, message, Protocol.Grpc, boundary.Remaining(call))
        {
            Alias = target.Alias,
            Ticket = target.Ticket,
            Caller = Caller.Of(http),
        };
    }

    /// <summary>One request, one answer. Served as a stream, which is the same on the wire: so a request without its call's end is not lost.</summary>
    public async Task InferAsync(IAsyncStreamReader<PayloadBuffer> requests, IServerStreamWriter<PayloadBuffer> answers, ServerCallContext call)
    {
        try
        {
            var message = await new PayloadRequests(call, requests, Limit, room).ReadSingleAsync().ConfigureAwait(false);
            InferCall request;
            TimeSpan? timeout;
            try
            {
                var header = InferRequestHeader.Scan(message.Span);
                timeout = header.Timeout;
                request = Read(api, boundary, call, message, header);
            }
            catch
            {
                message.Dispose();
                throw;
            }

            var reply = await TimeLimit.InferAsync(api, request, TimeLimit.OfParameter(timeout), time, late, call.CancellationToken).ConfigureAwait(false);
            await default(ThreadPoolHop);
            if (!reply.Succeeded)
            {
                call.End(reply.Failure);
                return;
            }

            using var answer = reply.Message;
            await answers.WriteAsync(call, answer, isLast: true).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw boundary.Translate(call, exception);
        }
    }

    /// <summary>Requests of a stream, several at once, answered in their order.</summary>
    public async Task StreamInferAsync(IAsyncStreamReader<PayloadBuffer> requests, IServerStreamWriter<PayloadBuffer> answers, ServerCallContext call)
    {
        try
        {
            await streams.RunAsync(call, new PayloadRequests(call, requests, Limit, room), answers).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw boundary.Translate(call, exception);
        }
    }
}

/// <summary>Tells the library of <see cref="InferenceService"/>'s methods; a service of their own, since their messages may be large.</summary>
internal sealed class InferenceMethods : IServiceMethodProvider<InferenceService>
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<InferenceService> context)
    {
        // As the library's own services have it: it refuses other verbs by this.
        object[] metadata = [new HttpMethodMetadata([HttpMethods.Post], acceptCorsPreflight: true)];
        context.AddDuplexStreamingMethod(
            Define("ModelInfer"), metadata, static (service, requests, answers, call) => service.InferAsync(requests, answers, call));
        context.AddDuplexStreamingMethod(
            Define("ModelStreamInfer"), metadata, static (service, requests, answers, call) => service.StreamInferAsync(requests, answers, call));
    }

    private static Method<PayloadBuffer, PayloadBuffer> Define(string method) => new(
        MethodType.DuplexStreaming,
        InferenceReflection.Descriptor.Services[0].FullName,
        InferenceReflection.Descriptor.Services[0].FindMethodByName(method).Name,
        Grpc.Marshallers.Payload,
        Grpc.Marshallers.Payload);
}

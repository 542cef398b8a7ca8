using Cluster.Contracts.Buffers;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Grpc;

internal sealed class GrpcServerOptionsValidator : IValidateOptions<GrpcServerOptions>
{
    private static readonly int Largest = Array.MaxLength - PayloadBuffer.TensorAlignment;

    public ValidateOptionsResult Validate(string? name, GrpcServerOptions options)
    {
        var size = options.MaxReceiveMessageSize;
        return size >= 1 && size <= Largest
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"{nameof(options.MaxReceiveMessageSize)} is {size}; it must be 1 to {Largest} bytes.");
    }
}

namespace Cluster.Gateway.Grpc;

/// <summary>Why a call's token fired.</summary>
public enum CancellationCause
{
    /// <summary>It did not.</summary>
    None,

    /// <summary>The client cancelled, reset the stream or lost its connection.</summary>
    Client,

    /// <summary>The client's deadline passed.</summary>
    Deadline,
}

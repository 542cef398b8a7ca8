namespace Cluster.Runtime.CodeGeneration;

/// <summary>A method of a grain interface. The token, if it takes one, is the last parameter.</summary>
/// <param name="DeclaringInterface">Full name, for the explicit implementation.</param>
/// <param name="WireInterface">The interface's alias or name, for messages and the wire.</param>
/// <param name="Name">The method's name.</param>
/// <param name="WireName">The method's alias or name.</param>
/// <param name="ReturnType">As written in the signature.</param>
/// <param name="ResultType">The type inside the task; null if there is none.</param>
/// <param name="IsValueTask">True: ValueTask. False: Task.</param>
/// <param name="ParameterTypes">All, the token included.</param>
/// <param name="TakesToken">True: the last parameter is the token.</param>
/// <param name="AlwaysInterleave">Has the attribute.</param>
/// <param name="ResponseTimeout">The attribute's text; null without one.</param>
/// <param name="ParameterCodecs">Of those that are sent: all but the token.</param>
/// <param name="ResultCodec">Null if there is no result.</param>
internal sealed record MethodModel(
    string DeclaringInterface,
    string WireInterface,
    string Name,
    string WireName,
    string ReturnType,
    string? ResultType,
    bool IsValueTask,
    EquatableArray<string> ParameterTypes,
    bool TakesToken,
    bool AlwaysInterleave,
    string? ResponseTimeout,
    EquatableArray<string> ParameterCodecs,
    string? ResultCodec);

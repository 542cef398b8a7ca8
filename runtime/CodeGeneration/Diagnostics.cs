using Microsoft.CodeAnalysis;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>What the generator refuses.</summary>
#pragma warning disable RS2008 // The generator ships with its only users; there are no releases of it to track.
internal static class Diagnostics
{
    public static readonly DiagnosticDescriptor ReturnType = Error(
        "CLR001", "{0} returns {1}; a grain method returns Task, Task<T>, ValueTask or ValueTask<T>");

    public static readonly DiagnosticDescriptor Parameter = Error(
        "CLR002", "{0} has the parameter {1}; grain methods take values only: no ref, in, out, pointers or ref structs");

    public static readonly DiagnosticDescriptor GenericMethod = Error("CLR003", "{0} is generic; grain methods cannot be");

    public static readonly DiagnosticDescriptor Member = Error("CLR004", "{0} is not a method; grain interfaces have methods only");

    public static readonly DiagnosticDescriptor GenericType = Error("CLR005", "{0} is generic; grain interfaces and grain classes cannot be");

    public static readonly DiagnosticDescriptor Accessibility = Error("CLR006", "{0} is private, protected or file-local; generated code cannot reach it");

    public static readonly DiagnosticDescriptor Key = Error("CLR007", "{0} derives from IGrain only; a grain interface derives from IGrainWithStringKey");

    public static readonly DiagnosticDescriptor Token = Error("CLR008", "{0} has a CancellationToken that is not its only one and its last parameter");

    public static readonly DiagnosticDescriptor Timeout = Error("CLR009", "{0} has the response time-out '{1}'; expected a positive time such as 00:00:30");

    private static readonly DiagnosticDescriptor[] All =
        [ReturnType, Parameter, GenericMethod, Member, GenericType, Accessibility, Key, Token, Timeout];

    public static DiagnosticDescriptor Find(string id) => All.First(descriptor => descriptor.Id == id);

    private static DiagnosticDescriptor Error(string id, string message) =>
        new(id, "Unsupported grain declaration", message, "Cluster.Runtime", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
#pragma warning restore RS2008

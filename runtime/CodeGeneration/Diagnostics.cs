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

    public static readonly DiagnosticDescriptor SerializedType = Error(
        "CLR010", "{0} is of type {1}, which cannot cross a process boundary; a type of ours needs [GenerateSerializer]");

    public static readonly DiagnosticDescriptor DuplicateId = Error("CLR011", "{0} has two members with [Id({1})]");

    public static readonly DiagnosticDescriptor Constructor = Error(
        "CLR012", "{0} has neither a constructor without parameters nor one whose every parameter has the name and type of a member with [Id]");

    public static readonly DiagnosticDescriptor SerializableType = Error(
        "CLR013", "{0} is generic, abstract or derived; a type with [GenerateSerializer] is none of these, save for direct descendants of Exception");

    public static readonly DiagnosticDescriptor SerializableMember = Error(
        "CLR014", "{0} has [Id] but no storage of its own; only fields and automatic properties can have it");

    public static readonly DiagnosticDescriptor TooManyMembers = Error("CLR015", "{0} has more than {1} members with [Id]");

    public static readonly DiagnosticDescriptor Overload = Error(
        "CLR016", "{0} has the name '{1}' on the wire, like another method of its interface; give one of them an [Alias]");

    private static readonly DiagnosticDescriptor[] All =
    [
        ReturnType, Parameter, GenericMethod, Member, GenericType, Accessibility, Key, Token, Timeout,
        SerializedType, DuplicateId, Constructor, SerializableType, SerializableMember, TooManyMembers, Overload,
    ];

    public static DiagnosticDescriptor Find(string id) => All.First(descriptor => descriptor.Id == id);

    private static DiagnosticDescriptor Error(string id, string message) =>
        new(id, "Unsupported grain declaration", message, "Cluster.Runtime", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
#pragma warning restore RS2008

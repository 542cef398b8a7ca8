namespace Cluster.Runtime;

/// <summary>The names of grain types: ModelVersionGrain and IModelVersionGrain are both "modelversion".</summary>
internal static class GrainNames
{
    private const string Suffix = "Grain";

    public static string OfClass(Type type) => Normalize(type.Name);

    public static string OfInterface(Type type) =>
        Normalize(type.Name.Length > 1 && type.Name[0] == 'I' && char.IsUpper(type.Name[1]) ? type.Name[1..] : type.Name);

#pragma warning disable CA1308 // The names are lower case by convention; nothing is compared without case.
    private static string Normalize(string name) =>
        (name.Length > Suffix.Length && name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name).ToLowerInvariant();
#pragma warning restore CA1308
}

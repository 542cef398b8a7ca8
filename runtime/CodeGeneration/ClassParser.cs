using Microsoft.CodeAnalysis;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Reads a grain class.</summary>
internal static class ClassParser
{
    /// <summary>Null if it is no grain class: abstract, not derived from Grain, or without grain interface.</summary>
    public static Parsed<ClassModel>? Parse(INamedTypeSymbol type)
    {
        if (type.IsAbstract || type.IsStatic || !DerivesFromGrain(type))
        {
            return null;
        }

        var interfaces = type.AllInterfaces
            .Where(static i => i.AllInterfaces.Any(static b => Names.IsRuntimeType(b, "IGrainWithStringKey")))
            .Select(static i => Names.Of(i))
            .ToArray();
        if (interfaces.Length == 0)
        {
            return null;
        }

        var findings = new List<Finding>();
        if (type.IsGenericType)
        {
            findings.Add(Finding.At(type, Diagnostics.GenericType, Names.Plain(type)));
        }

        if (!Names.IsReachable(type))
        {
            findings.Add(Finding.At(type, Diagnostics.Accessibility, Names.Plain(type)));
        }

        var model = findings.Count > 0 ? null : new ClassModel(Names.Of(type), new EquatableArray<string>(interfaces));
        return new Parsed<ClassModel>(model, new EquatableArray<Finding>(findings));
    }

    private static bool DerivesFromGrain(INamedTypeSymbol type)
    {
        for (var current = type.BaseType; current is not null; current = current.BaseType)
        {
            if (Names.IsRuntimeType(current, "Grain"))
            {
                return true;
            }
        }

        return false;
    }
}

using Microsoft.CodeAnalysis;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>The C# expression that makes the codec of a type.</summary>
internal static class CodecExpression
{
    private const string Codecs = "global::Cluster.Runtime.CodeGeneration.Codecs";

    /// <summary>Null if values of the type cannot cross a process boundary.</summary>
    public static string? Of(ITypeSymbol type)
    {
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable)
        {
            return Wrap("NullableValue", nullable.TypeArguments);
        }

        var inner = OfNotNull(type);
        return inner is not null && type.IsReferenceType && type.NullableAnnotation != NullableAnnotation.NotAnnotated
            ? $"{Codecs}.NullableReference({inner})"
            : inner;
    }

    private static string? OfNotNull(ITypeSymbol type)
    {
        if (Special(type) is { } special)
        {
            return $"{Codecs}.{special}";
        }

        return type switch
        {
            IArrayTypeSymbol { Rank: 1, ElementType.SpecialType: SpecialType.System_Byte } => $"{Codecs}.ByteArray",
            IArrayTypeSymbol { Rank: 1 } array => Wrap("Array", [array.ElementType]),
            INamedTypeSymbol { TypeKind: TypeKind.Enum } => $"{Codecs}.Enum<{Names.Of(type)}>()",
            INamedTypeSymbol { IsTupleType: true, TupleElements.Length: 2 } tuple => Wrap("Tuple", [.. tuple.TupleElements.Select(static e => e.Type)]),
            INamedTypeSymbol named when Collection(named) is { } collection => Wrap(collection, named.TypeArguments),
            INamedTypeSymbol named when Names.Attribute(named, "GenerateSerializerAttribute") is not null => $"{Codecs}.Of<{NotAnnotated(type)}>()",
            INamedTypeSymbol named when HasPayloadCodec(named) => $"{Codecs}.Payload<{NotAnnotated(type)}>()",
            _ => null,
        };
    }

    private static string? Special(ITypeSymbol type)
    {
        switch (type.SpecialType)
        {
            case SpecialType.System_Boolean:
            case SpecialType.System_Byte:
            case SpecialType.System_SByte:
            case SpecialType.System_Int16:
            case SpecialType.System_UInt16:
            case SpecialType.System_Int32:
            case SpecialType.System_UInt32:
            case SpecialType.System_Int64:
            case SpecialType.System_UInt64:
            case SpecialType.System_Char:
            case SpecialType.System_Single:
            case SpecialType.System_Double:
            case SpecialType.System_String:
                return type.Name;
        }

        return type is INamedTypeSymbol { Arity: 0, ContainingType: null } named
            ? (named.ContainingNamespace.ToDisplayString(), named.Name) switch
            {
                ("System", "TimeSpan" or "DateTimeOffset" or "Guid") => named.Name,
                (Names.Runtime, "GrainId" or "SiloAddress") => named.Name,
                _ => null,
            }
            : null;
    }

    private static string? Collection(INamedTypeSymbol type) => (type.ContainingNamespace.ToDisplayString(), type.Name, type.Arity) switch
    {
        ("System.Collections.Generic", "List", 1) => "List",
        ("System.Collections.Generic", "IReadOnlyList", 1) => "ReadOnlyList",
        ("System.Collections.Generic", "Dictionary", 2) => "Dictionary",
        ("System.Collections.Generic", "IReadOnlyDictionary", 2) => "ReadOnlyDictionary",
        ("System.Collections.Immutable", "ImmutableArray", 1) => "ImmutableArray",
        ("System.Collections.Immutable", "ImmutableDictionary", 2) => "ImmutableDictionary",
        ("System.Collections.Immutable", "ImmutableSortedSet", 1) => "ImmutableSortedSet",
        ("System.Collections.Immutable", "ImmutableSortedDictionary", 2) => "ImmutableSortedDictionary",
        _ => null,
    };

    private static string? Wrap(string factory, IReadOnlyCollection<ITypeSymbol> arguments)
    {
        var inner = arguments.Select(Of).ToArray();
        return inner.Contains(null) ? null : $"{Codecs}.{factory}({string.Join(", ", inner)})";
    }

    private static string NotAnnotated(ITypeSymbol type) => Names.Of(type.WithNullableAnnotation(NullableAnnotation.NotAnnotated));

    private static bool HasPayloadCodec(INamedTypeSymbol type) => type.ContainingAssembly.GetAttributes().Any(attribute =>
        Names.IsRuntimeType(attribute.AttributeClass, "PayloadCodecAttribute")
        && attribute.ConstructorArguments.Length > 0
        && SymbolEqualityComparer.Default.Equals(attribute.ConstructorArguments[0].Value as ISymbol, type));
}

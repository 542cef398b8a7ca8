using System.Text;
using Microsoft.CodeAnalysis;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>The names that the generator looks for and writes.</summary>
internal static class Names
{
    public const string Runtime = "Cluster.Runtime";

    private static readonly SymbolDisplayFormat Full = SymbolDisplayFormat.FullyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    /// <summary>With <c>global::</c> and nullability.</summary>
    public static string Of(ITypeSymbol type) => type.ToDisplayString(Full);

    /// <summary>As in messages.</summary>
    public static string Plain(ISymbol symbol) => symbol.ToDisplayString(SymbolDisplayFormat.CSharpErrorMessageFormat);

    public static bool IsRuntimeType(INamedTypeSymbol? type, string name) =>
        type is { ContainingType: null } && type.Name == name && type.ContainingNamespace?.ToDisplayString() == Runtime;

    public static AttributeData? Attribute(ISymbol symbol, string name) =>
        symbol.GetAttributes().FirstOrDefault(attribute => IsRuntimeType(attribute.AttributeClass, name));

    public static string? AttributeText(ISymbol symbol, string name) =>
        Attribute(symbol, name) is { ConstructorArguments.Length: > 0 } attribute ? attribute.ConstructorArguments[0].Value as string : null;

    /// <summary>A C# literal.</summary>
    public static string Literal(string? text) =>
        text is null ? "null" : Microsoft.CodeAnalysis.CSharp.SymbolDisplay.FormatLiteral(text, quote: true);

    /// <summary>A name that an identifier can have, different for different types.</summary>
    public static string Identifier(string fullName)
    {
        var result = new StringBuilder();
        foreach (var c in fullName.Replace("global::", ""))
        {
            result.Append(char.IsLetterOrDigit(c) ? c.ToString() : c == '_' ? "__" : "_");
        }

        return result.ToString();
    }

    public static bool IsReachable(INamedTypeSymbol type)
    {
        for (var current = type; current is not null; current = current.ContainingType)
        {
            if (current.IsFileLocal || current.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Internal or Accessibility.ProtectedOrInternal))
            {
                return false;
            }
        }

        return true;
    }
}

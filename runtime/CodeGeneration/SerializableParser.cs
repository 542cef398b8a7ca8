using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Reads a type that has GenerateSerializer.</summary>
internal sealed class SerializableParser
{
    /// <summary>One bit each in the generated code.</summary>
    private const int MaxMembers = 64;

    private readonly List<Finding> _findings = [];

    /// <summary>Null for enumerations, which need no code of their own.</summary>
    public static Parsed<SerializableModel>? Parse(INamedTypeSymbol type) =>
        type.TypeKind == TypeKind.Enum ? null : new SerializableParser().ParseCore(type);

    private Parsed<SerializableModel> ParseCore(INamedTypeSymbol type)
    {
        var name = Names.Plain(type);
        CheckType(type, name);
        var symbols = type.GetMembers().Where(static member => Id(member) is not null).ToArray();
        var members = symbols.Select(symbol => ParseMember(symbol)).OfType<SerializableMember>().ToArray();
        foreach (var twice in members.GroupBy(static member => member.Id).Where(static group => group.Count() > 1))
        {
            _findings.Add(Finding.At(type, Diagnostics.DuplicateId, name, twice.Key.ToString(CultureInfo.InvariantCulture)));
        }

        var parameters = _findings.Count > 0 ? null : ChooseConstructor(type, members, symbols);
        if (_findings.Count == 0 && parameters is null && !type.IsValueType)
        {
            _findings.Add(Finding.At(type, Diagnostics.Constructor, name));
        }

        var fullName = Names.Of(type);
        var model = _findings.Count > 0 ? null : new SerializableModel(
            fullName,
            name,
            "Codec_" + Names.Identifier(fullName),
            Names.AttributeText(type, "AliasAttribute") ?? type.ToDisplayString(),
            type.IsValueType,
            new EquatableArray<SerializableMember>(members),
            parameters);
        return new Parsed<SerializableModel>(model, new EquatableArray<Finding>(_findings));
    }

    private void CheckType(INamedTypeSymbol type, string name)
    {
        var derived = type is { IsValueType: false, BaseType.SpecialType: not SpecialType.System_Object }
            && type.BaseType?.ToDisplayString() != "System.Exception";
        if (type.IsGenericType || type.IsAbstract || derived)
        {
            _findings.Add(Finding.At(type, Diagnostics.SerializableType, name));
        }

        if (!Names.IsReachable(type))
        {
            _findings.Add(Finding.At(type, Diagnostics.Accessibility, name));
        }

        if (type.GetMembers().Count(static member => Id(member) is not null) > MaxMembers)
        {
            _findings.Add(Finding.At(type, Diagnostics.TooManyMembers, name, MaxMembers.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private SerializableMember? ParseMember(ISymbol symbol)
    {
        var name = Names.Plain(symbol);
        var field = FieldOf(symbol);
        if (field is null)
        {
            _findings.Add(Finding.At(symbol, Diagnostics.SerializableMember, name));
            return null;
        }

        var type = symbol is IPropertySymbol property ? property.Type : field.Type;
        if (CodecExpression.Of(type) is not { } codec)
        {
            _findings.Add(Finding.At(symbol, Diagnostics.SerializedType, name, Names.Plain(type)));
            return null;
        }

        var required = symbol is IPropertySymbol { IsRequired: true } or IFieldSymbol { IsRequired: true };
        return new SerializableMember(Id(symbol)!.Value, symbol.Name, field.MetadataName, Names.Of(type), codec, required);
    }

    // A class's parameterless constructor keeps the initial values of members that did not come; otherwise the longest one whose
    // parameters are members.
    private static EquatableArray<SerializableParameter>? ChooseConstructor(INamedTypeSymbol type, SerializableMember[] members, ISymbol[] symbols)
    {
        var fitting = type.InstanceConstructors
            .Where(constructor => !(type.IsValueType && constructor.IsImplicitlyDeclared && constructor.Parameters.Length == 0))
            .Select(constructor => constructor.Parameters.Select(parameter => ParseParameter(parameter, members, symbols)).ToArray())
            .Where(static parameters => !parameters.Contains(null))
            .ToArray();
        var chosen = (type.IsValueType ? null : fitting.FirstOrDefault(static parameters => parameters.Length == 0))
            ?? fitting.OrderByDescending(static parameters => parameters.Length).FirstOrDefault();
        return chosen is null ? null : new EquatableArray<SerializableParameter>(chosen!);
    }

    private static SerializableParameter? ParseParameter(IParameterSymbol parameter, SerializableMember[] members, ISymbol[] symbols)
    {
        var index = Array.FindIndex(symbols, symbol => string.Equals(symbol.Name, parameter.Name, StringComparison.OrdinalIgnoreCase));
        var type = index < 0 ? null : (symbols[index] as IPropertySymbol)?.Type ?? (symbols[index] as IFieldSymbol)?.Type;
        var member = SymbolEqualityComparer.Default.Equals(type, parameter.Type) ? Array.FindIndex(members, m => m.Name == symbols[index].Name) : -1;
        var fallback = parameter.HasExplicitDefaultValue ? Literal(parameter) : null;
        return parameter.RefKind == RefKind.None && (member >= 0 || fallback is not null)
            ? new SerializableParameter(Names.Of(parameter.Type), member, fallback)
            : null;
    }

    private static string Literal(IParameterSymbol parameter) => parameter.ExplicitDefaultValue is { } value
        ? $"({Names.Of(parameter.Type)})({SymbolDisplay.FormatPrimitive(value, quoteStrings: true, useHexadecimalNumbers: false)})"
        : "default!";

    private static IFieldSymbol? FieldOf(ISymbol symbol) => symbol switch
    {
        IFieldSymbol { IsStatic: false, IsConst: false } field => field,
        IPropertySymbol { IsStatic: false } property => property.ContainingType.GetMembers()
            .OfType<IFieldSymbol>()
            .FirstOrDefault(field => SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property)),
        _ => null,
    };

    private static uint? Id(ISymbol symbol) =>
        symbol is IFieldSymbol or IPropertySymbol && Names.Attribute(symbol, "IdAttribute") is { ConstructorArguments.Length: 1 } attribute
            ? attribute.ConstructorArguments[0].Value as uint?
            : null;
}

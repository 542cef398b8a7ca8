using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Reads a grain interface.</summary>
internal sealed class InterfaceParser
{
    private readonly List<Finding> _findings = [];

    /// <summary>Null if it is no grain interface at all.</summary>
    public static Parsed<InterfaceModel>? Parse(INamedTypeSymbol type) =>
        type.AllInterfaces.Any(static i => Names.IsRuntimeType(i, "IGrain")) && type.ContainingNamespace.ToDisplayString() != Names.Runtime
            ? new InterfaceParser().ParseCore(type)
            : null;

    private Parsed<InterfaceModel> ParseCore(INamedTypeSymbol type)
    {
        var name = Names.Plain(type);
        if (!type.AllInterfaces.Any(static i => Names.IsRuntimeType(i, "IGrainWithStringKey")))
        {
            _findings.Add(Finding.At(type, Diagnostics.Key, name));
        }

        if (type.IsGenericType)
        {
            _findings.Add(Finding.At(type, Diagnostics.GenericType, name));
        }

        if (!Names.IsReachable(type))
        {
            _findings.Add(Finding.At(type, Diagnostics.Accessibility, name));
        }

        var methods = new List<MethodModel>();
        foreach (var member in type.AllInterfaces.Insert(0, type).SelectMany(static i => i.GetMembers()))
        {
            if (ParseMember(member) is not { } method)
            {
                continue;
            }

            if (methods.Exists(other => other.WireInterface == method.WireInterface && other.WireName == method.WireName))
            {
                _findings.Add(Finding.At(member, Diagnostics.Overload, Names.Plain(member), method.WireName));
            }

            methods.Add(method);
        }

        var fullName = Names.Of(type);
        var model = _findings.Count > 0
            ? null
            : new InterfaceModel(fullName, "Proxy_" + Names.Identifier(fullName), new EquatableArray<MethodModel>(methods));
        return new Parsed<InterfaceModel>(model, new EquatableArray<Finding>(_findings));
    }

    private MethodModel? ParseMember(ISymbol member)
    {
        if (member is IMethodSymbol { MethodKind: MethodKind.Ordinary, IsStatic: false } method)
        {
            return ParseMethod(method);
        }

        // Accessors are reported with their property or event, nested types and static members with a body do no harm.
        var isInstanceMember = member is IPropertySymbol { IsStatic: false } or IEventSymbol { IsStatic: false };
        var isStaticAbstract = member is { IsStatic: true, IsAbstract: true } and not IMethodSymbol { AssociatedSymbol: not null };
        if (isInstanceMember || isStaticAbstract)
        {
            _findings.Add(Finding.At(member, Diagnostics.Member, Names.Plain(member)));
        }

        return null;
    }

    private MethodModel? ParseMethod(IMethodSymbol method)
    {
        var before = _findings.Count;
        var name = Names.Plain(method);
        if (method.IsGenericMethod)
        {
            _findings.Add(Finding.At(method, Diagnostics.GenericMethod, name));
        }

        CheckParameters(method, name);
        var awaitable = Awaitable(method.ReturnType);
        if (awaitable is null)
        {
            _findings.Add(Finding.At(method, Diagnostics.ReturnType, name, Names.Plain(method.ReturnType)));
        }

        var timeout = Names.AttributeText(method, "ResponseTimeoutAttribute");
        if (timeout is not null && !(TimeSpan.TryParse(timeout, CultureInfo.InvariantCulture, out var parsed) && parsed > TimeSpan.Zero))
        {
            _findings.Add(Finding.At(method, Diagnostics.Timeout, name, timeout));
        }

        if (_findings.Count > before)
        {
            return null;
        }

        var sent = method.Parameters.Where(static parameter => !IsToken(parameter)).ToArray();
        var codecs = sent.Select(parameter => CodecOf(parameter, name + ", parameter " + parameter.Name, parameter.Type)).ToArray();
        var result = awaitable!.IsGenericType ? CodecOf(method, name, awaitable.TypeArguments[0]) : null;
        return _findings.Count > before ? null : CreateModel(method, awaitable, timeout, codecs, result);
    }

    private string CodecOf(ISymbol symbol, string name, ITypeSymbol type)
    {
        var codec = CodecExpression.Of(type);
        if (codec is null)
        {
            _findings.Add(Finding.At(symbol, Diagnostics.SerializedType, name, Names.Plain(type)));
        }

        return codec ?? "";
    }

    private static MethodModel CreateModel(
        IMethodSymbol method, INamedTypeSymbol awaitable, string? timeout, IEnumerable<string> codecs, string? resultCodec) => new(
        Names.Of(method.ContainingType),
        Names.AttributeText(method.ContainingType, "AliasAttribute") ?? method.ContainingType.ToDisplayString(),
        method.Name,
        Names.AttributeText(method, "AliasAttribute") ?? method.Name,
        Names.Of(method.ReturnType),
        awaitable.IsGenericType ? Names.Of(awaitable.TypeArguments[0]) : null,
        awaitable.Name == "ValueTask",
        new EquatableArray<string>(method.Parameters.Select(static parameter => Names.Of(parameter.Type))),
        method.Parameters.Length > 0 && IsToken(method.Parameters[method.Parameters.Length - 1]),
        Names.Attribute(method, "AlwaysInterleaveAttribute") is not null,
        timeout,
        new EquatableArray<string>(codecs),
        resultCodec);

    private void CheckParameters(IMethodSymbol method, string name)
    {
        for (var i = 0; i < method.Parameters.Length; i++)
        {
            var parameter = method.Parameters[i];
            if (parameter.RefKind != RefKind.None || parameter.Type.IsRefLikeType || parameter.Type is IPointerTypeSymbol or IFunctionPointerTypeSymbol)
            {
                _findings.Add(Finding.At(parameter, Diagnostics.Parameter, name, Names.Plain(parameter)));
            }

            if (IsToken(parameter) && i < method.Parameters.Length - 1)
            {
                _findings.Add(Finding.At(parameter, Diagnostics.Token, name));
            }
        }
    }

    private static bool IsToken(IParameterSymbol parameter) =>
        parameter.Type is { Name: "CancellationToken" } type && type.ContainingNamespace.ToDisplayString() == "System.Threading";

    private static INamedTypeSymbol? Awaitable(ITypeSymbol type) =>
        type is INamedTypeSymbol { Name: "Task" or "ValueTask", Arity: 0 or 1 } named
        && named.ContainingNamespace.ToDisplayString() == "System.Threading.Tasks"
            ? named
            : null;
}

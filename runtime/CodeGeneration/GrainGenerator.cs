using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>
/// Writes, for a compilation that declares grain interfaces or grain classes: a proxy per interface, and the application part
/// that the runtime reads at start. Writes a codec for each type with GenerateSerializer.
/// </summary>
[Generator]
public sealed class GrainGenerator : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var interfaces = context.SyntaxProvider
            .CreateSyntaxProvider(
                static (node, _) => node is InterfaceDeclarationSyntax { BaseList: not null },
                static (syntax, token) => Declared(syntax, token) is { } type ? InterfaceParser.Parse(type) : null)
            .Where(static parsed => parsed is not null);
        var classes = context.SyntaxProvider
            .CreateSyntaxProvider(
                static (node, _) => node is ClassDeclarationSyntax { BaseList: not null },
                static (syntax, token) => Declared(syntax, token) is { } type ? ClassParser.Parse(type) : null)
            .Where(static parsed => parsed is not null);
        var generatedNamespace = context.CompilationProvider.Select(static (compilation, _) =>
            "Cluster.Runtime.Generated." + Names.Identifier(compilation.AssemblyName ?? "Assembly"));

        var serializables = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                Names.Runtime + ".GenerateSerializerAttribute",
                static (_, _) => true,
                static (syntax, _) => syntax.TargetSymbol is INamedTypeSymbol type ? SerializableParser.Parse(type) : null)
            .Where(static parsed => parsed is not null);

        context.RegisterSourceOutput(serializables.Combine(generatedNamespace), static (output, pair) =>
        {
            var (parsed, generatedNamespace) = pair;
            foreach (var finding in parsed!.Findings)
            {
                output.ReportDiagnostic(finding.ToDiagnostic());
            }

            if (parsed.Model is { } model)
            {
                output.AddSource(model.CodecName + ".g.cs", CodecWriter.Write(model, generatedNamespace));
            }
        });
        context.RegisterSourceOutput(interfaces.Combine(generatedNamespace), static (output, pair) =>
        {
            var (parsed, generatedNamespace) = pair;
            foreach (var finding in parsed!.Findings)
            {
                output.ReportDiagnostic(finding.ToDiagnostic());
            }

            if (parsed.Model is { } model)
            {
                output.AddSource(model.ProxyName + ".g.cs", ProxyWriter.Write(model, generatedNamespace));
            }
        });
        context.RegisterSourceOutput(classes, static (output, parsed) =>
        {
            foreach (var finding in parsed!.Findings)
            {
                output.ReportDiagnostic(finding.ToDiagnostic());
            }
        });
        context.RegisterSourceOutput(interfaces.Collect().Combine(classes.Collect()).Combine(generatedNamespace), static (output, all) =>
        {
            var ((interfaces, classes), generatedNamespace) = all;
            var interfaceModels = interfaces.Select(static parsed => parsed!.Model!).Where(static model => model is not null).Distinct().ToArray();
            var classModels = classes.Select(static parsed => parsed!.Model!).Where(static model => model is not null).Distinct().ToArray();
            if (interfaceModels.Length + classModels.Length > 0)
            {
                output.AddSource("ApplicationPart.g.cs", PartWriter.Write(interfaceModels, classModels, generatedNamespace));
            }
        });
    }

    // A partial type is looked at once: at the first of its declarations that names bases.
    private static INamedTypeSymbol? Declared(GeneratorSyntaxContext syntax, CancellationToken token)
    {
        var type = syntax.SemanticModel.GetDeclaredSymbol(syntax.Node, token) as INamedTypeSymbol;
        var first = type?.DeclaringSyntaxReferences
            .Select(reference => reference.GetSyntax(token))
            .First(static node => node is TypeDeclarationSyntax { BaseList: not null });
        return first == syntax.Node ? type : null;
    }
}

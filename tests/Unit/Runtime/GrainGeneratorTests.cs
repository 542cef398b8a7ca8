using Cluster.Runtime.CodeGeneration;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class GrainGeneratorTests
{
    private const string Usings = """
        using System;
        using System.Collections.Generic;
        using System.Threading;
        using System.Threading.Tasks;
        using Cluster.Runtime;

        """;

    [Theory]
    [InlineData("interface IBad : IGrainWithStringKey { int Get(); }", "CLR001", "IBad.Get() returns int")]
    [InlineData("interface IBad : IGrainWithStringKey { void Get(); }", "CLR001", "IBad.Get() returns void")]
    [InlineData("interface IBad : IGrainWithStringKey { IAsyncEnumerable<int> Get(); }", "CLR001", "returns System.Collections.Generic.IAsyncEnumerable<int>")]
    [InlineData("interface IBad : IGrainWithStringKey { Task Get(ref int x); }", "CLR002", "has the parameter ref int")]
    [InlineData("interface IBad : IGrainWithStringKey { Task Get(out int x); }", "CLR002", "has the parameter out int")]
    [InlineData("interface IBad : IGrainWithStringKey { Task Get(ReadOnlySpan<byte> x); }", "CLR002", "ReadOnlySpan<byte>")]
    [InlineData("interface IBad : IGrainWithStringKey { Task<T> Get<T>(); }", "CLR003", "IBad.Get<T>() is generic")]
    [InlineData("interface IBad : IGrainWithStringKey { int Size { get; } }", "CLR004", "IBad.Size is not a method")]
    [InlineData("interface IBad : IGrainWithStringKey { event Action Changed; }", "CLR004", "IBad.Changed is not a method")]
    [InlineData("interface IBad : IGrainWithStringKey { static abstract int Two { get; } }", "CLR004", "IBad.Two is not a method")]
    [InlineData("interface IBad<T> : IGrainWithStringKey { Task Get(); }", "CLR005", "IBad<T> is generic")]
    [InlineData("interface IGood : IGrainWithStringKey { } class Bad<T> : Grain, IGood { }", "CLR005", "Bad<T> is generic")]
    [InlineData("class Outer { private interface IBad : IGrainWithStringKey { } }", "CLR006", "Outer.IBad is private")]
    [InlineData("interface IGood : IGrainWithStringKey { } class Outer { private class Bad : Grain, IGood { } }", "CLR006", "Outer.Bad is private")]
    [InlineData("interface IBad : IGrain { Task Get(); }", "CLR007", "IBad derives from IGrain only")]
    [InlineData("interface IBad : IGrainWithStringKey { Task Get(CancellationToken token, int x); }", "CLR008", "IBad.Get(System.Threading.CancellationToken, int)")]
    [InlineData("interface IBad : IGrainWithStringKey { [ResponseTimeout(\"soon\")] Task Get(); }", "CLR009", "response time-out 'soon'")]
    public void Declaration_Unsupported_IsReportedWhereItIs(string source, string id, string message)
    {
        var (_, diagnostics) = Run(source);

        var diagnostic = Assert.Single(diagnostics, d => d.Id == id);
        Assert.Contains(message, diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.True(diagnostic.Location.GetLineSpan().Span.Start.Line >= Usings.Count(static c => c == '\n'));
    }

    [Theory]
    [InlineData("interface IGood : IGrainWithStringKey { Task A(int? x, string? y, (int P, string Q) z, CancellationToken token = default); }")]
    [InlineData("interface IGood : IGrainWithStringKey { ValueTask<Dictionary<string, int[]>?> A(params int[] x); [Alias(\"B\")] Task A(string x = \"d\"); }")]
    [InlineData("interface IBase : IGrainWithStringKey { Task A(); } interface IGood : IBase { new Task A(); Task @class(int @event); }")]
    [InlineData("partial interface IGood : IGrainWithStringKey { Task A(); } partial interface IGood : IDisposable2 { Task B(); } interface IDisposable2 { Task C(); }")]
    [InlineData("interface IGood : IGrainWithStringKey { Task A() => Task.CompletedTask; static int Two => 2; }")]
    [InlineData("class Outer { internal interface IGood : IGrainWithStringKey { Task A(); } internal class Good : Grain, IGood { public Task A() => Task.CompletedTask; } }")]
    [InlineData("[Alias(\"a\\\"b\")] public interface IGood : IGrainWithStringKey { [Alias(\"x\"), AlwaysInterleave, ResponseTimeout(\"00:01:00\")] Task A(); }")]
    public void Declaration_Supported_CompilesWithWhatIsGenerated(string source)
    {
        var (compilation, diagnostics) = Run(source);

        Assert.Empty(diagnostics);
        Assert.Empty(compilation.GetDiagnostics().Where(static d => d.Severity >= DiagnosticSeverity.Warning));
        Assert.Contains(compilation.Assembly.GetAttributes(), a => a.AttributeClass!.Name == nameof(ApplicationPartAttribute));
    }

    [Fact]
    public void Compilation_WithoutGrains_GetsNothing()
    {
        var (compilation, diagnostics) = Run("interface INone : IDisposable { }");

        Assert.Empty(diagnostics);
        Assert.Single(compilation.SyntaxTrees);
    }

    private static (Compilation Compilation, Diagnostic[] Diagnostics) Run(string source)
    {
        var trusted = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Append(typeof(Grain).Assembly.Location);
        var compilation = CSharpCompilation.Create(
            "Sample.Grains",
            [CSharpSyntaxTree.ParseText(Usings + source, path: "sample.cs")],
            trusted.Select(static path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable)
                .WithSpecificDiagnosticOptions([KeyValuePair.Create("CS8019", ReportDiagnostic.Suppress)]));
        CSharpGeneratorDriver.Create(new GrainGenerator())
            .RunGeneratorsAndUpdateCompilation(compilation, out var generated, out var diagnostics);
        return (generated, [.. diagnostics]);
    }
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>A diagnostic to report, in a form that can be compared.</summary>
internal sealed record Finding(string Id, string Subject, string Detail, string Path, TextSpan Span, LinePositionSpan Lines)
{
    public static Finding At(ISymbol symbol, DiagnosticDescriptor descriptor, string subject, string detail = "")
    {
        var location = symbol.Locations.Length > 0 ? symbol.Locations[0] : Location.None;
        return new Finding(
            descriptor.Id, subject, detail, location.SourceTree?.FilePath ?? "", location.SourceSpan, location.GetLineSpan().Span);
    }

    public Diagnostic ToDiagnostic() =>
        Diagnostic.Create(Diagnostics.Find(Id), Path.Length > 0 ? Location.Create(Path, Span, Lines) : Location.None, Subject, Detail);
}

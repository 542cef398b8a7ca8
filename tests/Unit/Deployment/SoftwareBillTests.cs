using System.Text.Json.Nodes;
using Cluster.Sbom;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>The bill of materials of the program that was built says what is in its folder.</summary>
public sealed class SoftwareBillTests
{
    private const string Program = "cluster-silo";

    [Fact]
    public void Bill_OfTheProgram_HasEachLibraryOfItsFolder()
    {
        var folder = Path.GetDirectoryName(ServerProcess.Program)!;
        var bill = SoftwareBill.Of(folder, Program);
        var components = bill["components"]!.AsArray().Select(static component => component!.AsObject()).ToList();
        var description = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, Program + ".deps.json")))!;
        var target = description["targets"]![description["runtimeTarget"]!["name"]!.GetValue<string>()]!.AsObject();

        var named = components.Select(static component => $"{component["name"]}/{component["version"]}").ToHashSet(StringComparer.Ordinal);
        var explained = target.Where(library => named.Contains(library.Key)).SelectMany(static library => SoftwareBill.Files(library.Value!)).Append(Program + ".dll").ToHashSet(StringComparer.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder).Select(static file => Path.GetFileName(file)).Where(static file => file.EndsWith(".dll", StringComparison.Ordinal) || file.EndsWith(".so", StringComparison.Ordinal)).Except(explained));

        var protobuf = components.Single(static component => component["name"]!.GetValue<string>() == "Google.Protobuf");
        Assert.Equal($"pkg:nuget/Google.Protobuf@{protobuf["version"]}", protobuf["purl"]!.GetValue<string>());
        Assert.Matches("^[0-9a-f]{128}$", protobuf["hashes"]![0]!["content"]!.GetValue<string>());
        Assert.Contains(components, static component => component["type"]!.GetValue<string>() == "framework" && component["name"]!.GetValue<string>() == "Microsoft.AspNetCore.App");
        Assert.Equal(components.Count, components.Select(static component => component["bom-ref"]!.GetValue<string>()).Distinct().Count());
        Assert.Equal(bill.ToJsonString(), SoftwareBill.Of(folder, Program).ToJsonString());
    }

    [Fact]
    public void Bill_OfAFolderWithoutALibrary_LeavesItOut()
    {
        using var folder = ModelFolder.Create();
        var built = Path.GetDirectoryName(ServerProcess.Program)!;
        foreach (var file in new[] { ".deps.json", ".runtimeconfig.json", ".dll" }.Select(static end => Program + end).Append("Google.Protobuf.dll"))
        {
            File.Copy(Path.Combine(built, file), Path.Combine(folder.Path, file));
        }

        var names = SoftwareBill.Of(folder.Path, Program)["components"]!.AsArray().Select(static component => component!["name"]!.GetValue<string>());

        Assert.Equal(["Google.Protobuf", "Microsoft.AspNetCore.App", "Microsoft.NETCore.App"], names.Order(StringComparer.Ordinal));
    }
}

using System.Runtime.InteropServices;
using Cluster.Grains.OpenVino;
using Cluster.Unit.Repository;
using Xunit;

namespace Cluster.Unit.OpenVino;

/// <summary>What a folder holds, by its files: the beginnings of libraries, which are never loaded here.</summary>
public sealed class OpenVinoFolderTests : IDisposable
{
    private const string Runtime = "libonnxruntime.so.1.24.1";
    private const byte X64 = 62;
    private const byte Arm64 = 183;

    private readonly TempFolder _folder = new();

    private static byte Own => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? Arm64 : X64;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("onnxruntime/capi")]
    [InlineData("wheel/onnxruntime/capi")]
    public void Read_RuntimeBesideItsProvider_IsBuiltIn(string under)
    {
        Write(Own, Path.Combine(under, Runtime), Path.Combine(under, OpenVinoFolder.Provider), Path.Combine(under, "libopenvino_intel_cpu_plugin.so"));

        var found = OpenVinoFolder.Read(_folder[""]);

        Assert.Equal((OpenVinoKind.BuiltIn, Path.Combine(_folder[""], under, Runtime)), (found.Kind, found.Library));
        Assert.Equal(["CPU"], found.Devices());
    }

    [Fact]
    public void Read_PluginLibrary_IsThePlugin()
    {
        Write(Own, "onnxruntime_ep_openvino/" + OpenVinoFolder.Plugin);

        Assert.Equal(OpenVinoKind.Plugin, OpenVinoFolder.Read(_folder[""]).Kind);
    }

    [Fact]
    public void Read_Neither_SaysWhatIsNeededAndWhichWheelHasIt()
    {
        Write(Own, Runtime);

        var told = Refusal(_folder[""]);

        Assert.Contains("has neither libonnxruntime_providers_openvino.so beside libonnxruntime.so* nor libonnxruntime_providers_openvino_plugin.so", told, StringComparison.Ordinal);
        Assert.Contains("the wheel onnxruntime-openvino 1.24.1 serves on every x86-64 processor, onnxruntime-ep-openvino 1.8.1 on Intel's", told, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Both_NamesTheFolders()
    {
        Write(Own, "a/" + Runtime, "a/" + OpenVinoFolder.Provider, "b/" + OpenVinoFolder.Plugin);

        Assert.Contains($"has OpenVINO more than once, in '{_folder["a"]}' and '{_folder["b"]}'", Refusal(_folder[""]), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OtherArchitecture_NamesBoth()
    {
        var other = Own == X64 ? Arm64 : X64;
        Write(other, OpenVinoFolder.Plugin);

        var told = Refusal(_folder[""]);

        Assert.Contains(other == Arm64 ? "is for arm64 processors and this process runs on x86-64" : "is for x86-64 processors and this process runs on arm64", told, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoLibrary_SaysSo()
    {
        File.WriteAllText(Path.Combine(_folder[""], OpenVinoFolder.Plugin), "a text");

        Assert.Contains("is no library for Linux", Refusal(_folder[""]), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoFolder_SaysSo() => Assert.Contains("is no folder that can be read", Refusal(_folder["missing"]), StringComparison.Ordinal);

    [Theory]
    [InlineData("Unable to load shared library '/d/a.so'.\nlibz.so.1: cannot open shared object file: No such file\n", "'/d/a.so' needs libz.so.1, which is not on this machine")]
    [InlineData("Unable to load shared library '/d/a.so'.\n/d/a.so: file too short\n", "'/d/a.so' cannot be loaded: /d/a.so: file too short")]
    public void Missing_LoadersText_NamesTheLibrary(string text, string expected) =>
        Assert.Contains(expected, OpenVinoLibraries.Missing("/d/a.so", text), StringComparison.Ordinal);

    private static string Refusal(string folder) => Assert.Throws<OpenVinoException>(() => OpenVinoFolder.Read(folder)).Message;

    private void Write(byte machine, params string[] files)
    {
        foreach (var file in files.Select(file => Path.Combine(_folder[""], file)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            var head = new byte[64];
            "\u007fELF"u8.CopyTo(head);
            head[18] = machine;
            File.WriteAllBytes(file, head);
        }
    }
}

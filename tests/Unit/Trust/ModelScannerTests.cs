using Cluster.Contracts.Errors;
using Cluster.Grains.Trust;
using Cluster.Tests.Common;
using Xunit;
using static Cluster.Unit.Trust.OnnxBytes;

namespace Cluster.Unit.Trust;

public sealed class ModelScannerTests
{
    [Fact]
    public void Scan_ModelsOfTheTests_AreCounted()
    {
        foreach (var file in Directory.EnumerateFiles(TestPaths.TestModels, "*.onnx", SearchOption.AllDirectories).Where(static file => new FileInfo(file).Length > 256))
        {
            var facts = ModelScanner.Scan(File.ReadAllBytes(file), "model.onnx", new ModelTrustOptions());
            Assert.True(facts.Nodes > 0, file);
        }
    }

    [Fact]
    public void Scan_NodesTensorsAndExternalData_AreFound()
    {
        var model = Model(
            Initializer("w", 1, 2),
            Part(5, External("a", 3, ("location", "w.bin"), ("offset", "4"), ("length", "12"))),
            Part(5, External("b", 3, ("location", "w.bin"), ("offset", "100"))),
            Part(1, Node("If", "c", "c", "o", Nested(2))));

        var facts = ModelScanner.Scan(model, "model.onnx", new ModelTrustOptions());

        Assert.Equal((3, 3), (facts.Nodes, facts.Tensors));
        Assert.Equal([new KeyValuePair<string, long>("w.bin", 112)], facts.External);
    }

    [Theory]
    [InlineData("nodes", "'m.onnx' has more nodes than Models:MaxNodes allows, which is 2")]
    [InlineData("function nodes", "'m.onnx' has more nodes than Models:MaxNodes allows, which is 2")]
    [InlineData("initializers", "'m.onnx' has more initializers than Models:MaxInitializers allows, which is 3")]
    [InlineData("attributes", "'m.onnx' has more initializers than Models:MaxInitializers allows, which is 3")]
    [InlineData("depth", "'m.onnx' has subgraphs nested deeper than Models:MaxDepth allows, which is 2")]
    [InlineData("size", "initializer 'big' in 'm.onnx' declares 1004 bytes; Models:MaxInitializerBytes allows 1000")]
    [InlineData("packed size", "initializer 'big' in 'm.onnx' declares 1024 bytes; Models:MaxInitializerBytes allows 1000")]
    [InlineData("overflow", "initializer 'big' in 'm.onnx' declares more bytes than can be counted; Models:MaxInitializerBytes allows 1000")]
    [InlineData("negative", "initializer 'big' in 'm.onnx' declares more bytes than can be counted; Models:MaxInitializerBytes allows 1000")]
    [InlineData("sparse", "initializer 'a sparse one' in 'm.onnx' declares 16000 bytes; Models:MaxInitializerBytes allows 1000")]
    public void Scan_BeyondALimit_NamesWhatAndTheOption(string what, string expected)
    {
        var limits = new ModelTrustOptions { MaxNodes = what.Contains("nodes", StringComparison.Ordinal) ? 2 : 100, MaxInitializers = 3, MaxDepth = 2, MaxInitializerBytes = 1000 };
        var model = what switch
        {
            "nodes" => Model(Part(1, Node("A", "", "", "")), Part(1, Node("A", "", "", ""))),
            "function nodes" => Join(Model(), Part(25, Join(Part(7, Node("A", "", "", "")), Part(7, Node("A", "", "", ""))))),
            "initializers" => Model(Initializer("a", 1), Initializer("b", 1), Initializer("c", 1), Initializer("d", 1)),
            "attributes" => Model(Part(1, Node("Constant", "", "", "k", [.. Enumerable.Repeat(Part(10, Shape("t", Float, 1)), 4)]))),
            "depth" => Model(Part(1, Node("If", "c", "c", "o", Nested(3)))),
            "size" => Model(Part(5, Shape("big", Float, 251))),
            "packed size" => Model(Part(5, PackedShape("big", Float, 16, 16))),
            "overflow" => Model(Part(5, Shape("big", Float, 1UL << 62, 1UL << 62, 1UL << 62, 1UL << 62, 1UL << 62))),
            "negative" => Model(Part(5, Shape("big", Float, ulong.MaxValue))),
            _ => Model(Part(15, Join(Number(3, 1000), Part(1, Shape("v", Float, 1)), Part(2, Shape("i", 7, 1))))),
        };

        Assert.Equal(expected, Refuse(model, limits));
    }

    /// <summary>Protobuf merges what is given twice: the whole would declare more than each part.</summary>
    [Theory]
    [InlineData("graph", "'m.onnx' has a graph twice")]
    [InlineData("tensor", "'m.onnx' has a tensor of an attribute twice")]
    [InlineData("values", "'m.onnx' has a list of values of a sparse tensor twice")]
    [InlineData("offset", "external data of initializer 'w' has 'offset' twice")]
    public void Scan_PartGivenTwice_IsRefused(string what, string expected)
    {
        var tensor = Part(5, Shape("t", Float, 1));
        var model = what switch
        {
            "graph" => Join(Model(), Part(7, [])),
            "tensor" => Model(Part(1, Node("Constant", "", "", "k", Join(tensor, tensor)))),
            "values" => Model(Part(15, Join(Part(1, Shape("v", Float, 1)), Part(1, Shape("v", Float, 1))))),
            _ => Model(Part(5, External("w", 1, ("location", "w.bin"), ("offset", "0"), ("offset", "4")))),
        };

        Assert.Equal(expected, Refuse(model, new ModelTrustOptions()));
    }

    [Theory]
    [InlineData("location", "external data of initializer 'w' without", "initializer 'w' has external data without a location")]
    [InlineData("offset", "-1", "external data of initializer 'w' has the offset '-1', expected a number of bytes")]
    [InlineData("length", "9999999999999999999", "external data of initializer 'w' has the length '9999999999999999999', expected a number of bytes")]
    [InlineData("memory", "*/_ORT_MEM_ADDR_/*", "external data '*/_ORT_MEM_ADDR_/*' of initializer 'w' is no name of a file")]
    public void Scan_ExternalDataThatIsNone_IsRefused(string key, string value, string expected)
    {
        (string, string)[] entries = key switch
        {
            "location" => [],
            "memory" => [("location", value), ("offset", "140737488355328"), ("length", "4")],
            _ => [("location", "w.bin"), (key, value)],
        };

        Assert.Equal(expected, Refuse(Model(Part(5, External("w", 1, entries))), new ModelTrustOptions()));
    }

    [Fact]
    public void Scan_ExternalDataOfASubgraph_IsRefused()
    {
        var inner = Part(6, Join(Text(2, "inner"), Part(5, External("w", 1, ("location", "w.bin")))));

        Assert.Equal(
            "'m.onnx' has external data in a subgraph, function or attribute (tensor 'w'); only initializers of the main graph may have it",
            Refuse(Model(Part(1, Node("If", "c", "c", "o", inner))), new ModelTrustOptions()));
    }

    [Theory]
    [InlineData(new byte[0], "it holds no graph")]
    [InlineData(new byte[] { 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07 }, "malformed ModelProto")]
    [InlineData(new byte[] { 0x3A, 0x02, 0x0A, 0x05 }, "malformed GraphProto")]
    public void Scan_NoModel_SaysSo(byte[] bytes, string expected)
    {
        var refused = Refuse(bytes, new ModelTrustOptions());

        Assert.StartsWith("'m.onnx' is no ONNX model in protobuf: ", refused, StringComparison.Ordinal);
        Assert.Contains(expected, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_NameOutOfTheFile_MakesNoLineOfItsOwn() => Assert.Equal(
        @"initializer 'a\nb' in 'm.onnx' declares 4 bytes; Models:MaxInitializerBytes allows 1",
        Refuse(Model(Part(5, Shape("a\nb", Float, 1))), new ModelTrustOptions { MaxInitializerBytes = 1 }));

    private static string Refuse(byte[] model, ModelTrustOptions limits)
    {
        var failure = Assert.Throws<ServingException>(() => ModelScanner.Scan(model, "m.onnx", limits)).Failure;
        Assert.Equal(StatusCode.Unavailable, failure.Code);
        return failure.Message;
    }
}

using System.Text;
using Cluster.Conformance.Support;

namespace Cluster.Conformance.Datatypes;

/// <summary>Tensors that are hard to carry unchanged, each with the model that gives it back.</summary>
internal static class Samples
{
    private static readonly byte[][] Texts =
        [[], Encoding.UTF8.GetBytes("plain"), [(byte)'a', 0, (byte)'b'], [0], Encoding.UTF8.GetBytes("\"\\/\b\u001f\u007f<&>"), Encoding.UTF8.GetBytes("äß€𝄞 e\u0301 \u2028\ufeff")];

    private static readonly Dictionary<string, (string Model, Tensor Tensor)> All = new(StringComparer.Ordinal);

    static Samples()
    {
        Add<byte>("BOOL", 0, 1, 1, 0);
        Add<sbyte>("INT8", sbyte.MinValue, -1, 0, 1, 100, sbyte.MaxValue);
        Add("INT16", short.MinValue, (short)-1, (short)0, (short)256, (short)127, short.MaxValue);
        Add("INT32", int.MinValue, -1, 0, 65_536, 16_777_217, int.MaxValue);
        Add("INT64", long.MinValue, -1L, 0L, 9_007_199_254_740_993L, -9_007_199_254_740_993L, long.MaxValue);
        Add<byte>("UINT8", 0, 1, 127, 128, 254, byte.MaxValue);
        Add("UINT16", (ushort)0, (ushort)1, (ushort)255, (ushort)256, (ushort)32_768, ushort.MaxValue);
        Add("UINT32", 0u, 1u, 65_536u, 2_147_483_648u, 16_777_217u, uint.MaxValue);
        Add("UINT64", 0ul, 1ul, 9_007_199_254_740_993ul, 9_223_372_036_854_775_808ul, 18_446_744_073_709_551_614ul, ulong.MaxValue);
        Add("FP16", Half.MinValue, Half.MaxValue, Half.Epsilon, Half.NegativeZero, (Half)0.1, (Half)1);
        Add<ushort>("BF16", 0xFF7F, 0x7F7F, 0x0001, 0x8000, 0x3DCD, 0x3F80);
        Add("FP32", float.MinValue, float.MaxValue, float.Epsilon, -0f, 0.1f, 1.17549435E-38f, 16_777_216f, 1e-45f);
        Add("FP64", double.MinValue, double.MaxValue, double.Epsilon, -0d, 0.1, 2.2250738585072014E-308, 9_007_199_254_740_993d, 1e23);
        AddSpecial("FP16", Half.PositiveInfinity, Half.NegativeInfinity, Half.NaN, (Half)1);
        AddSpecial<ushort>("BF16", 0x7F80, 0xFF80, 0x7FC0, 0x3F80);
        AddSpecial("FP32", float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1f);
        AddSpecial("FP64", double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1d);
        All.Add("BYTES texts", ("identity_string", Tensor.Bytes("INPUT0", [2, 3], Texts)));
        All.Add("BYTES one", ("identity_string", Tensor.Bytes("INPUT0", [1, 1], Texts[1])));
        All.Add("BYTES long", ("identity_string", Tensor.Bytes("INPUT0", [1, 2], Encoding.UTF8.GetBytes(new string('ü', 70_000)), [])));
        All.Add("BYTES no rows", ("identity_string", new Tensor("INPUT0", "BYTES", [0, 3], [])));
        All.Add("FP32 scalar", ("scalar_fp32", Tensor.Fp32("INPUT0", [], -2.5f)));
        All.Add("FP32 vector", ("vector_fp32", Tensor.Fp32("INPUT0", [3], 1, -2, 3.5f)));
        All.Add("FP32 empty vector", ("vector_fp32", Tensor.Fp32("INPUT0", [0])));
        All.Add("FP32 fixed", ("fixed_fp32", Tensor.Fp32("INPUT0", [1, 16], [.. Enumerable.Range(0, 16).Select(static i => i / 3f)])));
        All.Add("FP32 many rows", ("identity_fp32", Tensor.Fp32("INPUT0", [700, 3], [.. Enumerable.Range(0, 2100).Select(static i => i * 0.37f)])));
    }

    /// <summary>Names of samples that every encoding carries.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>Names of samples that <c>InferTensorContents</c> carries.</summary>
    public static IEnumerable<string> TypedNames => Names.Where(static name => !name.Contains("F16", StringComparison.Ordinal) && !name.Contains("FP16", StringComparison.Ordinal));

    /// <summary>Bytes that only raw forms carry: payloads of NaN, text that is not UTF-8.</summary>
    public static IReadOnlyDictionary<string, (string Model, Tensor Tensor)> RawOnly { get; } = new Dictionary<string, (string Model, Tensor Tensor)>
    {
        ["FP16 payloads"] = ("identity_fp16", Tensor.Of<ushort>("INPUT0", "FP16", [2, 2], 0x7E00, 0x7C01, 0xFE00, 0xFD55)),
        ["BF16 payloads"] = ("identity_bf16", Tensor.Of<ushort>("INPUT0", "BF16", [2, 2], 0x7FC0, 0x7F81, 0xFFC0, 0xFFAA)),
        ["FP32 payloads"] = ("identity_fp32", Tensor.Of("INPUT0", "FP32", [2, 2], 0x7FC00000u, 0x7F800001u, 0xFFC00000u, 0xFFAABBCCu)),
        ["FP64 payloads"] =
            ("identity_fp64", Tensor.Of("INPUT0", "FP64", [2, 2], 0x7FF8000000000000ul, 0x7FF0000000000001ul, 0xFFF8000000000000ul, 0xFFF5AABBCCDDEEFFul)),
        ["BYTES not UTF-8"] = ("identity_string", Tensor.Bytes("INPUT0", [1, 4], [0xFF], [0xC0, 0x80], [0, 0xED, 0xA0, 0x80], [1, 2, 3, 0xF8])),
    };

    public static (string Model, Tensor Tensor) Get(string name) => All[name];

    private static void Add<T>(string datatype, params T[] elements)
        where T : unmanaged
    {
        var model = Model(datatype);
        All.Add($"{datatype} extremes", (model, Tensor.Of("INPUT0", datatype, [2, elements.Length / 2], elements)));
        All.Add($"{datatype} one", (model, Tensor.Of("INPUT0", datatype, [1, 1], elements[0])));
        All.Add($"{datatype} no rows", (model, new Tensor("INPUT0", datatype, [0, 3], [])));
        All.Add($"{datatype} no columns", (model, new Tensor("INPUT0", datatype, [2, 0], [])));
    }

    private static void AddSpecial<T>(string datatype, params T[] elements)
        where T : unmanaged =>
        All.Add($"{datatype} special", (Model(datatype), Tensor.Of("INPUT0", datatype, [2, 2], elements)));

    private static string Model(string datatype) => "identity_" + datatype.ToLowerInvariant();
}

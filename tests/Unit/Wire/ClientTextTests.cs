using Cluster.Contracts.Errors;
using Xunit;

namespace Cluster.Unit.Wire;

/// <summary>What is left of ONNX Runtime's texts, as they are on Linux, and of the repository's.</summary>
public sealed class ClientTextTests
{
    [Theory]
    [InlineData(
        "[ErrorCode:RuntimeException] Non-zero status code returned while running Gather node. Name:'/emb/Gather' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/tensor/gather.cc:123 " +
        "onnxruntime::common::Status onnxruntime::GatherCopyData(const onnxruntime::Tensor*, const uint8_t*, uint8_t*, bool) [with Tin = long int; std::vector<int> = std::vector<int>] indices element out of data bounds, idx=5 must be within the inclusive range [-3,2]\n",
        "Non-zero status code returned while running Gather node. Name:'/emb/Gather' Status Message: indices element out of data bounds, idx=5 must be within the inclusive range [-3,2]")]
    [InlineData(
        "Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:560 void onnxruntime::BroadcastIterator::Append(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 2 by 3",
        "Status Message: axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 2 by 3")]
    [InlineData(
        "[ErrorCode:Fail] Load model from /tmp/models/x/1/model.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:181 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const onnxruntime::IOnnxRuntimeOpSchemaRegistryList*, const onnxruntime::logging::Logger&, const onnxruntime::ModelOptions&) Unsupported model IR version: 99, max supported IR version: 11",
        "Load model from model.onnx failed:Unsupported model IR version: 99, max supported IR version: 11")]
    [InlineData(
        "core/a.cc:12 onnxruntime::A::B()::<lambda(int, const std::function<void(int)>&)> const [with T = float] no",
        "no")]
    [InlineData("x.h:7 bool onnxruntime::P::operator()(int) const\nwrong", "wrong")]
    [InlineData(
        "Error: tensorprotoutils.cc:461 ValidateExternalDataPathFromDir External data path does not exist: \"/tmp/x/missing.bin\" (y)",
        "Error: External data path does not exist: \"missing.bin\" (y)")]
    [InlineData("x.cc:7 TensorShape onnxruntime::F(int) no", "no")]
    [InlineData("x.cc:7 Something (in brackets) is wrong", "Something (in brackets) is wrong")]
    [InlineData("Data of TensorProto ( tensor name: w) should be stored in /tmp/a b/w.bin, but it doesn't exist", "Data of TensorProto ( tensor name: w) should be stored in a b/w.bin, but it doesn't exist")]
    [InlineData("there is no folder '/tmp/a b/models'", "there is no folder 'models'")]
    [InlineData("External data path \"/tmp/x/w.bin\" is not there.", "External data path \"w.bin\" is not there.")]
    [InlineData("File /tmp/x/model.onnx.", "File model.onnx.")]
    [InlineData("Name:'/no_such_folder_here/conv1/Conv' of a/b and 1/2", "Name:'/no_such_folder_here/conv1/Conv' of a/b and 1/2")]
    [InlineData("input 'x' is [2,3], expected [-1,4]", "input 'x' is [2,3], expected [-1,4]")]
    [InlineData("/", "/")]
    [InlineData("", "")]
    public void Of_Text_KeepsTheMeaningWithoutPlacesAndPaths(string text, string expected) => Assert.Equal(expected, ClientText.Of(text));
}

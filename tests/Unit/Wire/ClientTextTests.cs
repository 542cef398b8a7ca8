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
        "Status Message: Attempting to broadcast an axis by a dimension other than 1. 2 by 3")]
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
    [InlineData("[ErrorCode:Fail] Mod node. Name:'' Status Message: element_wise_ops.cc:2256 operator() Integer modulo by zero", "Mod node. Name:'' Status Message: Integer modulo by zero")]
    [InlineData("[ONNXRuntimeError] : 1 : FAIL : tensor.cc:57 CalculateTensorStorageSize Tensor shape.Size() must be >= 0", "a tensor would have a negative size")]
    [InlineData("Status Message: element_wise_ops.h:304 Compute Integer division by zero", "Status Message: Integer division by zero")]
    [InlineData("Status Message: [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : no", "Status Message: no")]
    [InlineData("Cast node. Name:'' Status Message: stod", "Cast node. Name:'' Status Message: a text that should be a number is none")]
    [InlineData("Name:'stod' Status Message: stodgy", "Name:'stod' Status Message: stodgy")]
    [InlineData(
        "Failed to construct locale with name:en_US.UTF-8:locale::facet::_S_create_c_locale name not valid:Please, install necessary language-pack-XX and configure locales",
        "Failed to construct locale with name:en_US.UTF-8:the silo's machine has no such locale:Please, install necessary language-pack-XX and configure locales")]
    [InlineData("[ErrorCode:RuntimeException] Exception during initialization: std::bad_alloc", "Exception during initialization: there is not enough memory")]
    [InlineData(
        "/onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:91 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) " +
        "input_shape_size == requested_shape_size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{2}, requested shape:{3}",
        "The input tensor cannot be reshaped to the requested shape. Input shape:{2}, requested shape:{3}")]
    [InlineData(
        "x/core/providers/common.h:47 int64_t onnxruntime::HandleNegativeAxis(int64_t, int64_t) IsAxisInRange(axis, tensor_rank) was false. axis 1 is not in valid range [-1,0]",
        "axis 1 is not in valid range [-1,0]")]
    [InlineData("Status Message: x.cc:7 void onnxruntime::F(int) a > 0 was false.\n", "Status Message: a check of it failed")]
    [InlineData("x.cc:7 void n::F(int) It is wrong. What was said of it was false. So there", "It is wrong. What was said of it was false. So there")]
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

namespace Cluster.Grains.OpenVino;

/// <summary>The forms in which OpenVINO comes for ONNX Runtime.</summary>
internal enum OpenVinoKind
{
    /// <summary>An ONNX Runtime with OpenVINO in it, in place of the packaged one.</summary>
    BuiltIn,

    /// <summary>A library that the packaged ONNX Runtime loads.</summary>
    Plugin,
}

using Cluster.Grains.Sessions;

namespace Cluster.Grains.Tensors;

/// <summary>An output that the answer will hold.</summary>
/// <param name="Slot">The graph's output.</param>
/// <param name="Classes">How many best classes to answer instead of the tensor; 0 for the tensor.</param>
internal readonly record struct PlannedOutput(TensorSlot Slot, int Classes);

namespace Cluster.Contracts.Wire;

/// <summary>One tensor of a parsed message.</summary>
/// <param name="Name">UTF-8.</param>
/// <param name="Datatype">The datatype's name as sent, UTF-8.</param>
/// <param name="FirstDimension">Index of the first dimension in the message's list of dimensions.</param>
/// <param name="Rank">Dimensions, 0 for a scalar.</param>
/// <param name="Contents">The first <c>InferTensorContents</c>; empty if there is none.</param>
/// <param name="HasContents">Whether the field was there at all, empty or not.</param>
public readonly record struct TensorSlice(Slice Name, Slice Datatype, int FirstDimension, int Rank, Slice Contents, bool HasContents);

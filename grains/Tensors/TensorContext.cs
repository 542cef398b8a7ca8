using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Tensors;

/// <summary>Which tensor of which model is being read, for errors.</summary>
internal readonly record struct TensorContext(string Input, string Model, Datatype Datatype)
{
    public ServingException Invalid(string what) =>
        ServingException.InvalidArgument($"invalid data of input '{Input}' for model '{Model}': {what}");
}

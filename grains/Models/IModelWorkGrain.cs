namespace Cluster.Grains.Models;

/// <summary>What a model's grain asks of itself, so that it happens in its turn.</summary>
[Alias("model-work")]
internal interface IModelWorkGrain : IGrainWithStringKey
{
    /// <summary>Does what follows from the model's state.</summary>
    [ResponseTimeout("01:00:00"), Alias("carry-out")]
    ValueTask CarryOutAsync();
}

namespace Cluster.Grains.Placement;

/// <summary>Copies of models: by memory, labels, and what each silo has to do.</summary>
internal sealed class ModelPlacement : PlacementStrategy;

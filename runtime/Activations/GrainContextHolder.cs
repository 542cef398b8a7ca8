namespace Cluster.Runtime;

/// <summary>Carries the activation into its service scope, where constructors may ask for <see cref="IGrainContext"/>.</summary>
internal sealed class GrainContextHolder
{
    public IGrainContext? Context { get; set; }
}

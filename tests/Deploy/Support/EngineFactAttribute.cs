using Xunit;

namespace Cluster.Deploy.Support;

/// <summary>A fact that needs a container engine; skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EngineFactAttribute : FactAttribute
{
    /// <param name="sharedModels">Whether it needs the models beside the checkout too.</param>
    public EngineFactAttribute(bool sharedModels = false)
    {
        Skip = Engine.MissingReason
            ?? (sharedModels && Cluster.Tests.Common.TestPaths.SharedModels is null ? "the folder ../shared/models beside the checkout is missing" : null);
    }
}

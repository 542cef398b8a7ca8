using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.RealModels;

/// <summary>A test of models that are not part of the checkout; skipped where they are missing.</summary>
internal sealed class SharedModelFactAttribute : FactAttribute
{
    public SharedModelFactAttribute()
    {
        if (TestPaths.SharedModels is null)
        {
            Skip = "the folder ../shared/models beside the checkout is missing";
        }
    }
}

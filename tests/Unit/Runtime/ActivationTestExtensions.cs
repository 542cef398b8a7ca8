using Cluster.Tests.Common;

namespace Cluster.Unit.Runtime;

internal static class ActivationTestExtensions
{
    /// <summary>Completes when every turn that was queued before has run.</summary>
    public static Task AfterItsTurnsAsync(this Activation activation)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        activation.Turns.Post(static state => ((TaskCompletionSource)state!).SetResult(), done);
        return done.Task.Soon("the activation's turns");
    }
}

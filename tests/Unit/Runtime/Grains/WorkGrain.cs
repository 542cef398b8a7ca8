namespace Cluster.Unit.Runtime.Grains;

internal class WorkGrain(TestProbe probe) : Grain, IWorkGrain
{
    public async Task Run(string name)
    {
        probe.Record($"start {name}");
        await probe.Reached($"release {name}");
        probe.Record($"end {name}");
    }

    public Task RunInterleaved(string name) => Run(name);

    public async Task RunWithToken(string name, CancellationToken cancellationToken)
    {
        probe.Record($"start {name}");
        try
        {
            await probe.Reached($"release {name}").WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            probe.Record($"cancelled {name}");
            throw;
        }

        probe.Record($"end {name}");
    }

    public Task RunShort(string name, CancellationToken cancellationToken) => RunWithToken(name, cancellationToken);

    public Task RunAndDeactivate(string name)
    {
        DeactivateOnIdle();
        return Run(name);
    }

    public Task<string> Activation() => Task.FromResult(GrainContext.ActivationId.ToString());

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Record($"deactivated {this.GetPrimaryKeyString()}");
        return Task.CompletedTask;
    }
}

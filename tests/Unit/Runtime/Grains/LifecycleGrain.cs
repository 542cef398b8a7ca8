namespace Cluster.Unit.Runtime.Grains;

/// <summary>
/// Keys choose what activation does: "slow…" waits for "go KEY", "bad…" throws as long as the test has not set "fixed KEY",
/// "brief…" asks to be deactivated, "hangs…" does not end before "go KEY", "fails…" throws in OnDeactivateAsync.
/// </summary>
internal sealed class LifecycleGrain(TestProbe probe) : Grain, ILifecycleGrain, IAsyncDisposable
{
    private IGrainTimer? _timer;

    private string Key => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        probe.Record($"activating {Key}");
        if (Key.StartsWith("slow", StringComparison.Ordinal))
        {
            await probe.Reached($"go {Key}").WaitAsync(cancellationToken);
        }

        if (Key.StartsWith("bad", StringComparison.Ordinal) && !probe.Reached($"fixed {Key}").IsCompleted)
        {
            await Task.Yield();
            throw new InvalidDataException(Key);
        }

        if (Key.StartsWith("brief", StringComparison.Ordinal))
        {
            DeactivateOnIdle();
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Record($"deactivating {Key} {reason.ReasonCode}");
        if (Key.StartsWith("hangs", StringComparison.Ordinal))
        {
            await using var registration = cancellationToken.Register(() => probe.Set($"hurry {Key}"));
            await probe.Reached($"go {Key}");
        }

        if (Key.StartsWith("fails", StringComparison.Ordinal))
        {
            throw new InvalidDataException(Key);
        }
    }

    public Task Ping() => Task.CompletedTask;

    public Task PingWithToken(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<string> Activation() => Task.FromResult(GrainContext.ActivationId.ToString());

    public Task DeactivateNow()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task Delay(TimeSpan time)
    {
        DelayDeactivation(time);
        return Task.CompletedTask;
    }

    public Task StartTimer(string name, TimeSpan dueTime, TimeSpan period, bool interleave, bool keepAlive)
    {
        var options = new GrainTimerCreationOptions(dueTime, period) { Interleave = interleave, KeepAlive = keepAlive };
        var ticks = 0;
        _timer = this.RegisterGrainTimer(
            async (timer, token) =>
            {
                ticks++;
                probe.Record($"tick {timer} {ticks}");
                if (timer.StartsWith("wait", StringComparison.Ordinal))
                {
                    await probe.Reached($"release {timer} {ticks}").WaitAsync(token);
                }

                if (timer.StartsWith("throw", StringComparison.Ordinal))
                {
                    throw new InvalidDataException(timer);
                }

                probe.Record($"tock {timer} {ticks}");
            },
            name,
            options);
        return Task.CompletedTask;
    }

    public Task ChangeTimer(TimeSpan dueTime, TimeSpan period)
    {
        _timer!.Change(dueTime, period);
        return Task.CompletedTask;
    }

    public Task StopTimer()
    {
        _timer!.Dispose();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        probe.Record($"disposed {Key}");
        return default;
    }
}

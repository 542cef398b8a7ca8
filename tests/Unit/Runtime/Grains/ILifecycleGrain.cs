namespace Cluster.Unit.Runtime.Grains;

public interface ILifecycleGrain : IGrainWithStringKey
{
    Task Ping();

    Task PingWithToken(CancellationToken cancellationToken);

    Task<string> Activation();

    Task DeactivateNow();

    Task Delay(TimeSpan time);

    Task StartTimer(string name, TimeSpan dueTime, TimeSpan period, bool interleave = false, bool keepAlive = false);

    Task ChangeTimer(TimeSpan dueTime, TimeSpan period);

    Task StopTimer();
}

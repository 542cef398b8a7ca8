namespace Cluster.Unit.Runtime.Grains;

public interface ILifecycleGrain : IGrainWithStringKey
{
    Task Ping();

    Task PingWithToken(CancellationToken cancellationToken);

    Task<string> Activation();

    Task DeactivateNow();

    Task Delay(TimeSpan time);

    Task StartTimer(string name, GrainTimerCreationOptions options);

    Task ChangeTimer(TimeSpan dueTime, TimeSpan period);

    Task StopTimer();
}

namespace Cluster.Unit.Runtime.Grains;

public interface IWorkGrain : IGrainWithStringKey
{
    /// <summary>Tells the probe "start NAME", waits for "release NAME", tells it "end NAME".</summary>
    Task Run(string name);

    [AlwaysInterleave]
    Task RunInterleaved(string name);

    /// <summary>As Run; tells "cancelled NAME" if the token is cancelled while it waits.</summary>
    Task RunWithToken(string name, CancellationToken cancellationToken);

    [ResponseTimeout("00:00:05")]
    Task RunShort(string name, CancellationToken cancellationToken);

    /// <summary>As Run, and asks to be deactivated before it waits.</summary>
    Task RunAndDeactivate(string name);

    /// <summary>The activation that answers.</summary>
    Task<string> Activation();
}

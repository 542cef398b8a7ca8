using System.Globalization;

namespace Cluster.Tests.Common;

/// <summary>
/// Network namespaces joined by a bridge, so that what goes between two of them can be lost without either being told. Frames are lost by a wrong hardware
/// address, which needs nothing but the kernel: both ends believe that they send.
/// </summary>
public sealed class NetworkLab : IDisposable
{
    private const string Nowhere = "02:00:00:00:00:fe";

    private static int _labs;

    // Fifteen characters at most, with what is appended.
    private readonly string _id = string.Create(
        CultureInfo.InvariantCulture, $"ct{Environment.ProcessId % 100000}{(char)('a' + (Interlocked.Increment(ref _labs) % 26))}");
    private readonly List<NetworkMachine> _machines = [];
    private readonly string _prefix;

    /// <summary>Makes an empty lab.</summary>
    /// <exception cref="InvalidOperationException"><see cref="MissingReason"/> says why there can be none.</exception>
    public NetworkLab()
    {
        _prefix = string.Create(CultureInfo.InvariantCulture, $"10.233.{Environment.ProcessId % 250}");
        Run($"link add {_id} type bridge");
        Run($"addr add {HostAddress}/24 dev {_id}");
        Run($"link set {_id} up");
    }

    /// <summary>Why this machine can have no lab; null where it can.</summary>
    public static string? MissingReason { get; } = FindMissingReason();

    /// <summary>This process' own address on the bridge.</summary>
    public string HostAddress => _prefix + ".1";

    public NetworkMachine AddMachine()
    {
        var number = _machines.Count + 2;
        var machine = new NetworkMachine(
            string.Create(CultureInfo.InvariantCulture, $"{_id}n{number}"), string.Create(CultureInfo.InvariantCulture, $"{_prefix}.{number}"));
        var outside = Outside(number);
        Run($"netns add {machine.Name}");
        _machines.Add(machine);
        Run($"link add {outside} type veth peer name eth0 netns {machine.Name}");
        Run($"link set {outside} master {_id} up");
        Run($"-n {machine.Name} addr add {machine.Address}/24 dev eth0");
        Run($"-n {machine.Name} link set eth0 up");
        Run($"-n {machine.Name} link set lo up");
        return machine;
    }

    /// <summary>Loses what the two addresses send to each other. One of them may be <see cref="HostAddress"/>.</summary>
    public void Cut(string one, string other) => Both(one, other, static (space, device, to) => Run($"{space} neigh replace {to} lladdr {Nowhere} dev {device} nud permanent"));

    /// <summary>Ends <see cref="Cut"/>.</summary>
    public void Heal(string one, string other) => Both(one, other, static (space, device, to) => Run($"{space} neigh del {to} dev {device}"));

    public void Dispose()
    {
        // A namespace takes its end of a pair along only some time after its removal. The name of the other end would be taken until then.
        for (var number = 2; number < _machines.Count + 2; number++)
        {
            Run($"link del {Outside(number)}");
            Run($"netns del {_machines[number - 2].Name}");
        }

        Run($"link del {_id}");
    }

    private static string? FindMissingReason()
    {
        try
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"ct{Environment.ProcessId}probe");
            Run($"netns add {name}");
            Run($"netns del {name}");
            return null;
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"needs network namespaces: root, and 'ip' of the Debian package iproute2 ({exception.Message.Trim()})";
        }
    }

    private static void Run(string arguments) => Command.RunAsync("ip", arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)).GetAwaiter().GetResult();

    private string Outside(int number) => string.Create(CultureInfo.InvariantCulture, $"{_id}v{number}");

    private void Both(string one, string other, Action<string, string, string> run)
    {
        foreach (var (from, to) in new[] { (one, other), (other, one) })
        {
            var machine = _machines.Find(machine => machine.Address == from);
            run(machine is null ? "" : $"-n {machine.Name}", machine is null ? _id : "eth0", to);
        }
    }
}

/// <summary>A network namespace with an address on the lab's bridge.</summary>
public sealed record NetworkMachine(string Name, string Address);

using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Cluster.Silo.Options;

/// <summary>The command line: <c>[all|silo|gateway|health] [options]</c>. What is given becomes configuration keys; what is not keeps its default.</summary>
internal static class ServeCommand
{
    private static readonly (string Property, string Argument, string Help)[] Options =
    [
        (nameof(ServeOptions.Models), "DIR", "Folder of models, <name>/<version>/model.onnx [default: models]"),
        (nameof(ServeOptions.Config), "FILE", "A config.json in OpenVINO Model Server's form"),
        (nameof(ServeOptions.RegisteredModels), "DIR", "Folder that clients may register models from; without it that of --models"),
        (nameof(ServeOptions.Bind), "ADDRESS", "Address to listen on [default: 127.0.0.1]"),
        (nameof(ServeOptions.HttpPort), "PORT", "Port of REST, metrics and health; 0 takes a free one [default: 8000]"),
        (nameof(ServeOptions.GrpcPort), "PORT", "Port of gRPC; 0 takes a free one [default: 8001]"),
        (nameof(ServeOptions.Redis), "HOST:PORT", "The Redis that the processes of a cluster share; without it this process is the cluster"),
        (nameof(ServeOptions.RedisPasswordFile), "FILE", "A file with the password of Redis"),
        (nameof(ServeOptions.ClusterId), "NAME", "Processes with the same Redis and another name are another cluster [default: cluster]"),
        (nameof(ServeOptions.SiloPort), "PORT", "Port for the other processes of the cluster; 0 takes a free one [default: 8002]"),
        (nameof(ServeOptions.Advertise), "ADDRESS", "IP address under which other processes reach this silo; without it that of --bind, or the machine's first"),
        (nameof(ServeOptions.Labels), "A,B", "What this silo has, for models that need or prefer it"),
        (nameof(ServeOptions.PollSeconds), "SECONDS", "Time between two looks at the repository; 0 looks only when asked [default: 1]"),
        (nameof(ServeOptions.MaxMessageMiB), "MIB", "The largest request, MiB [default: 256]"),
        (nameof(ServeOptions.Capacity), "SIZE", "Memory for loaded models, such as 2GiB, 512MiB or bytes; without it 60 % of the memory limit"),
        (nameof(ServeOptions.InferenceThreads), "COUNT", "Threads that run models; 0 takes four a processor, at least 8 [default: 0]"),
        (nameof(ServeOptions.QueueLimit), "COUNT", "Requests that may wait in front of one model copy [default: 1000]"),
        (nameof(ServeOptions.StopSeconds), "SECONDS", "Time that a stop may take to finish what runs [default: 30]"),
        (nameof(ServeOptions.ServerName), "NAME", "The name in the server's metadata [default: cluster]"),
        (nameof(ServeOptions.LogFormat), "FORMAT", "text or json [default: text]"),
        (nameof(ServeOptions.LogLevel), "LEVEL", "Trace, Debug, Information, Warning or Error [default: Information]"),
    ];

    /// <summary>What tells where a server listens for HTTP.</summary>
    private static readonly string[] HealthOptions = [nameof(ServeOptions.Bind), nameof(ServeOptions.HttpPort)];

    /// <summary>Parses the command line and hands the given options, as configuration keys, to what was asked for.</summary>
    /// <param name="run">Serves.</param>
    /// <param name="probe">Asks a server for its health.</param>
    public static RootCommand Create(
        Func<IReadOnlyDictionary<string, string?>, Task<int>> run, Func<IReadOnlyDictionary<string, string?>, Task<int>> probe)
    {
        var root = new RootCommand("Serves ONNX models over the KServe v2 protocol, gRPC and REST.");
        var roles = new (Command Command, ServeRole? Role)[]
        {
            (root, null),
            (new Command("all", "One process with everything (the default)."), ServeRole.All),
            (new Command("silo", "A silo of a cluster: holds models and runs them. Needs --redis."), ServeRole.Silo),
            (new Command("gateway", "A gateway of a cluster: takes clients' requests. Needs --redis."), ServeRole.Gateway),
        };
        foreach (var (command, role) in roles)
        {
            AddOptions(command, Options, given => run(
                role is null ? given : given.Append(new($"{ServeOptions.Section}:{nameof(ServeOptions.Role)}", role.ToString())).ToDictionary()));
            if (command != root)
            {
                root.Subcommands.Add(command);
            }
        }

        var health = new Command("health", "Asks the server on this machine whether it is ready: exit code 0 if so, 1 if not.");
        AddOptions(health, Options.Where(static option => HealthOptions.Contains(option.Property)), probe);
        root.Subcommands.Add(health);
        return root;
    }

    private static void AddOptions(
        Command command, IEnumerable<(string Property, string Argument, string Help)> known, Func<IReadOnlyDictionary<string, string?>, Task<int>> action)
    {
        var options = known.Select(option => (option.Property, Option: CreateOption(option.Property, option.Argument, option.Help))).ToList();
        options.ForEach(option => command.Options.Add(option.Option));
        command.SetAction((result, _) => action(options
            .Where(option => result.GetResult(option.Option) is { Implicit: false })
            .ToDictionary(option => $"{ServeOptions.Section}:{option.Property}", option => result.GetValue(option.Option))));
    }

    private static Option<string?> CreateOption(string property, string argument, string help) =>
        new("--" + OptionName(property)) { HelpName = argument, Description = help };

    /// <summary><c>http-port</c> of <c>HttpPort</c>.</summary>
    private static string OptionName(string property) =>
        JsonNamingPolicy.KebabCaseLower.ConvertName(property.Replace("MiB", "Mib", StringComparison.Ordinal)).ToLower(CultureInfo.InvariantCulture);
}

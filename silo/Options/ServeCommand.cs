using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Cluster.Silo.Options;

/// <summary>The command line: <c>[all] [options]</c>. What is given becomes configuration keys; what is not keeps its default.</summary>
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
        (nameof(ServeOptions.PollSeconds), "SECONDS", "Time between two looks at the repository; 0 looks only when asked [default: 1]"),
        (nameof(ServeOptions.MaxMessageMiB), "MIB", "The largest request, MiB [default: 256]"),
        (nameof(ServeOptions.Capacity), "SIZE", "Memory for loaded models, such as 2GiB, 512MiB or bytes [default: 60 % of the memory limit]"),
        (nameof(ServeOptions.InferenceThreads), "COUNT", "Threads that run models; 0 takes four a processor, at least 8 [default: 0]"),
        (nameof(ServeOptions.QueueLimit), "COUNT", "Requests that may wait in front of one model copy [default: 1000]"),
        (nameof(ServeOptions.StopSeconds), "SECONDS", "Time that a stop may take to finish what runs [default: 30]"),
        (nameof(ServeOptions.ServerName), "NAME", "The name in the server's metadata [default: cluster]"),
        (nameof(ServeOptions.LogFormat), "FORMAT", "text or json [default: text]"),
        (nameof(ServeOptions.LogLevel), "LEVEL", "Trace, Debug, Information, Warning or Error [default: Information]"),
    ];

    /// <summary>Parses the command line and hands the given options, as configuration keys, to <paramref name="run"/>.</summary>
    public static RootCommand Create(Func<IReadOnlyDictionary<string, string?>, Task<int>> run)
    {
        var root = new RootCommand("Serves ONNX models over the KServe v2 protocol, gRPC and REST.");
        var all = new Command("all", "One process with everything (the default).");
        foreach (var command in new[] { root, all })
        {
            var options = Options.Select(option => (option.Property, Option: CreateOption(option.Property, option.Argument, option.Help))).ToList();
            options.ForEach(option => command.Options.Add(option.Option));
            command.SetAction((result, _) => run(options
                .Where(option => result.GetResult(option.Option) is { Implicit: false })
                .ToDictionary(option => $"{ServeOptions.Section}:{option.Property}", option => result.GetValue(option.Option))));
        }

        root.Subcommands.Add(all);
        return root;
    }

    private static Option<string?> CreateOption(string property, string argument, string help) =>
        new("--" + OptionName(property)) { HelpName = argument, Description = help };

    /// <summary><c>http-port</c> of <c>HttpPort</c>.</summary>
    private static string OptionName(string property) =>
        JsonNamingPolicy.KebabCaseLower.ConvertName(property.Replace("MiB", "Mib", StringComparison.Ordinal)).ToLower(CultureInfo.InvariantCulture);
}

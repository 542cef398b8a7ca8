using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Cluster.Contracts.Options;
using Cluster.Gateway.Security.Policy;
using Cluster.Silo.Trust;

namespace Cluster.Silo.Options;

/// <summary>
/// The command line: <c>[all|silo|gateway|health|apikey] [options]</c>, or one of <see cref="TrustCommands"/>. Given options become configuration keys. Others keep
/// their defaults.
/// </summary>
internal static class ServeCommand
{
    private static readonly (string Property, string Argument, string Help)[] Options =
    [
        (nameof(ServeOptions.Models), "DIR", "Folder of models, <name>/<version>/model.onnx, or s3://bucket/prefix [default: models]"),
        (nameof(ServeOptions.Config), "FILE", "A config.json in OpenVINO Model Server's form"),
        (nameof(ServeOptions.RegisteredModels), "DIR", "Folder, or s3://bucket/prefix, that clients may register models from; without it that of --models"),
        (nameof(ServeOptions.Storage), "FILE", "JSON file of storage sources, for s3:// and storage keys of registered models"),
        (nameof(ServeOptions.StorageCache), "DIR", "Folder that keeps what is read of object storage; without it one in the temporary folder"),
        (nameof(ServeOptions.RequireSignedModels), "BOOL", "Models are loaded only when they are signed; needs --model-keys [default: False]"),
        (nameof(ServeOptions.ModelKeys), "FILE", "PEM public keys that models may be signed with"),
        (nameof(ServeOptions.ModelKeyFile), "FILE", "Keys that models are encrypted with, one a line"),
        (nameof(ServeOptions.Bind), "ADDRESS", "Address to listen on [default: 127.0.0.1]"),
        (nameof(ServeOptions.HttpPort), "PORT", "Port of REST, metrics and health; 0 takes a free one [default: 8000]"),
        (nameof(ServeOptions.GrpcPort), "PORT", "Port of gRPC; 0 takes a free one [default: 8001]"),
        (nameof(ServeOptions.ManagementPort), "PORT", "Port on which alone models are changed and metrics read; 0 is none [default: 0]"),
        (nameof(ServeOptions.TlsCert), "FILE", "PEM certificate of the ports for clients; without it they speak no TLS"),
        (nameof(ServeOptions.TlsKey), "FILE", "PEM private key of --tls-cert"),
        (nameof(ServeOptions.TlsClientCa), "FILE", "PEM authorities of clients' certificates; without it none is asked for"),
        (nameof(ServeOptions.TlsCrl), "FILE", "Revocation lists of --tls-client-ca"),
        (nameof(ServeOptions.TlsClientCert), "USE", "Required or Optional, where --tls-client-ca is given [default: Required]"),
        (nameof(ServeOptions.Access), "FILE", "Clients and what each may do, access.json; without it none is asked who it is"),
        (nameof(ServeOptions.TokenKeys), "FILE", "JSON Web Key Set of signed tokens, or its https:// address; needs --access"),
        (nameof(ServeOptions.AuditLog), "FILE", "File that who did what is appended to"),
        (nameof(ServeOptions.Redis), "HOST:PORT", "The Redis that the processes of a cluster share; without it this process is the cluster"),
        (nameof(ServeOptions.RedisUser), "NAME", "The ACL user of Redis; needs --redis-password-file"),
        (nameof(ServeOptions.RedisPasswordFile), "FILE", "A file with the password of Redis"),
        (nameof(ServeOptions.RedisTls), "BOOL", "The connection to Redis is TLS [default: False]"),
        (nameof(ServeOptions.RedisTlsCa), "FILE", "PEM authorities to trust for Redis; without it those of the machine"),
        (nameof(ServeOptions.RedisTlsCert), "FILE", "PEM certificate that this process shows Redis"),
        (nameof(ServeOptions.RedisTlsKey), "FILE", "PEM private key of --redis-tls-cert"),
        (nameof(ServeOptions.ClusterId), "NAME", "Processes with the same Redis and another name are another cluster [default: cluster]"),
        (nameof(ServeOptions.SiloPort), "PORT", "Port for the other processes of the cluster; 0 takes a free one [default: 8002]"),
        (nameof(ServeOptions.Advertise), "ADDRESS", "IP address under which other processes reach this silo; without it that of --bind, or the machine's first"),
        (nameof(ServeOptions.PeerCert), "FILE", "PEM certificate, and its chain, that this process shows the others of the cluster: TLS with them"),
        (nameof(ServeOptions.PeerKey), "FILE", "PEM private key of --peer-cert"),
        (nameof(ServeOptions.PeerCa), "FILE", "PEM authorities to trust for the certificates of the other processes"),
        (nameof(ServeOptions.PeerCrl), "FILE", "Revocation lists of those authorities, PEM or one in DER; without it no revocation is asked"),
        (nameof(ServeOptions.Insecure), "BOOL", "Allows to listen beyond loopback without TLS or identity [default: False]"),
        (nameof(ServeOptions.Labels), "A,B", "What this silo has, for models that need or prefer it"),
        (nameof(ServeOptions.PollSeconds), "SECONDS", "Time between two looks at the repository; 0 looks only when asked [default: 1]"),
        (nameof(ServeOptions.MaxMessageMiB), "MIB", "The largest request, MiB [default: 256]"),
        (nameof(ServeOptions.Capacity), "SIZE", "Memory for loaded models, such as 2GiB, 512MiB or bytes; without it 60 % of the memory limit"),
        (nameof(ServeOptions.Openvino), "DIR", "Folder that a wheel with OpenVINO was unpacked to, see deploy/openvino"),
        (nameof(ServeOptions.OpenvinoCache), "DIR", "Folder for compiled graphs of models with cache; without it one in the temporary folder"),
        (nameof(ServeOptions.OpenvinoCacheMiB), "MIB", "The most that compiled graphs take, MiB [default: 1024]"),
        (nameof(ServeOptions.InferenceThreads), "COUNT", "Threads that run models; 0 takes four a processor, at least 8 [default: 0]"),
        (nameof(ServeOptions.MaxConnections), "COUNT", "Connections of clients; 0 is the limit of file descriptors less 384 [default: 0]"),
        (nameof(ServeOptions.QueueLimit), "COUNT", "Requests that may wait in front of one model replica [default: 1000]"),
        (nameof(ServeOptions.QueueMiB), "MIB", "Requests that may wait there, MiB; 0 is half of the room for large messages [default: 0]"),
        (nameof(ServeOptions.QueueDelayMs), "MS", "Expected wait above which a request is refused at once; 0 for none [default: 0]"),
        (nameof(ServeOptions.StuckRunSeconds), "SECONDS", "Time after which a run of a model is to be ended; 0 never ends one [default: 600]"),
        (nameof(ServeOptions.StopSeconds), "SECONDS", "Time that a stop may take to finish what runs [default: 30]"),
        (nameof(ServeOptions.DrainSeconds), "SECONDS", "Time that a gateway told to stop serves on, not ready, before that [default: 0]"),
        (nameof(ServeOptions.MinReadyModels), "COUNT", "Models that must answer for the server to be ready [default: 0]"),
        (nameof(ServeOptions.ServerName), "NAME", "The name in the server's metadata [default: cluster]"),
        (nameof(ServeOptions.LogFormat), "FORMAT", "text or json [default: text]"),
        (nameof(ServeOptions.LogLevel), "LEVEL", "Trace, Debug, Information, Warning or Error [default: Information]"),
    ];

    /// <summary>What tells where a server listens for HTTP.</summary>
    private static readonly string[] HealthOptions = [nameof(ServeOptions.Bind), nameof(ServeOptions.HttpPort), nameof(ServeOptions.TlsCert), nameof(ServeOptions.TlsKey)];

    /// <summary>A word that begins with @ is a word, not the name of a file with more of them.</summary>
    public static readonly ParserConfiguration Words = new() { ResponseFileTokenReplacer = null };

    private static readonly string[] Commands = ["all", "silo", "gateway", "health", "apikey", .. TrustCommands.Names];

    private static readonly Dictionary<string, string> Properties = Options.ToDictionary(static option => OptionName(option.Property), static option => option.Property);

    /// <summary>Parses the command line and hands the given options to the command.</summary>
    /// <param name="run">Serves.</param>
    /// <param name="probe">Asks a server for its health.</param>
    public static RootCommand Create(Func<GivenOptions, Task<int>> run, Func<GivenOptions, Task<int>> probe)
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
            AddOptions(command, Options, role, run);
            if (command != root)
            {
                root.Subcommands.Add(command);
            }
        }

        var health = new Command("health", "Asks the server on this machine whether it is ready: exit code 0 if so, 1 if not.");
        AddOptions(health, Options.Where(static option => HealthOptions.Contains(option.Property)), role: null, probe);
        root.Subcommands.Add(health);
        root.Subcommands.Add(ApiKeyCommand.Create(TimeProvider.System, Console.Out));
        TrustCommands.AddTo(root);
        return root;
    }

    /// <summary><c>--http-port</c> of <c>Cluster:HttpPort</c>; a key that is no option stays.</summary>
    public static string NameOf(string key) =>
        key.StartsWith(ServeOptions.Section + ":", StringComparison.Ordinal) && OptionName(key[(ServeOptions.Section.Length + 1)..]) is var name && Properties.ContainsKey(name) ? name : key;

    /// <summary>Carries out the command. Mistakes of the command line are reported with all other mistakes, so the parser's own errors are not.</summary>
    public static Task<int> InvokeAsync(ParseResult parsed) =>
        parsed.Action is ParseErrorAction && parsed.CommandResult.Command.Action is AsynchronousCommandLineAction action
            ? action.InvokeAsync(parsed)
            // The host itself ends the process on SIGTERM, when what runs has been answered; the command line would cut that short after two seconds.
            : parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });

    private static void AddOptions(
        Command command, IEnumerable<(string Property, string Argument, string Help)> known, ServeRole? role, Func<GivenOptions, Task<int>> action)
    {
        foreach (var (property, argument, help) in known)
        {
            command.Options.Add(new Option<string[]>(OptionName(property)) { HelpName = argument, Description = help, Arity = ArgumentArity.ZeroOrMore });
        }

        command.SetAction((result, _) => action(Read(result, [.. command.Options.Select(static option => option.Name).Where(Properties.ContainsKey)], role)));
    }

    /// <param name="known">The names of the command's options; they may stand before the command too.</param>
    private static GivenOptions Read(ParseResult result, IReadOnlyList<string> known, ServeRole? role)
    {
        var values = new Dictionary<string, string?>();
        var mistakes = new List<string>();
        for (SymbolResult? at = result.CommandResult; at is CommandResult command; at = at.Parent)
        {
            foreach (var option in command.Children.OfType<OptionResult>().Where(static option => !option.Implicit))
            {
                var name = option.Option.Name;
                var given = option.Tokens.Select(static token => token.Value).ToList();
                if (given.Count == 0 && Properties.TryGetValue(name, out var property) && typeof(ServeOptions).GetProperty(property)!.PropertyType == typeof(bool))
                {
                    // A switch alone.
                    given.Add("true");
                }

                if (!known.Contains(name))
                {
                    mistakes.Add($"{name} is unknown here, expected {string.Join(" or ", known)}");
                }
                else if (given.Count == 0 || given.Exists(static value => value.StartsWith("--", StringComparison.Ordinal)))
                {
                    mistakes.Add($"{name} has no value, expected one after it");
                }
                else if (given.Count > 1 || !values.TryAdd($"{ServeOptions.Section}:{Properties[name]}", given[0]))
                {
                    mistakes.Add($"{name} is given more than once, expected once");
                }
            }
        }

        mistakes.AddRange(Unknown(result.UnmatchedTokens, known));
        if (role is not null)
        {
            values[$"{ServeOptions.Section}:{nameof(ServeOptions.Role)}"] = role.ToString();
        }

        return new GivenOptions(values, mistakes);
    }

    /// <summary>A word that follows an unknown option is its value.</summary>
    private static IEnumerable<string> Unknown(IReadOnlyList<string> words, IReadOnlyList<string> known) =>
        words.Where((word, index) => IsOption(word) || index == 0 || !IsOption(words[index - 1]) || words[index - 1].Contains('='))
            .Select(static word => IsOption(word) ? word.Split('=')[0] : word)
            .Select(word => $"'{OptionSection.OneLine(word)}' is unknown{OptionSection.Hint(word, IsOption(word) ? known : Commands)}");

    private static bool IsOption(string word) => word.StartsWith('-');

    /// <summary><c>--http-port</c> of <c>HttpPort</c>.</summary>
    private static string OptionName(string property) =>
        "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(property.Replace("MiB", "Mib", StringComparison.Ordinal)).ToLower(CultureInfo.InvariantCulture);
}

/// <summary>What the command line gives.</summary>
/// <param name="Values">By configuration key, such as <c>Cluster:HttpPort</c>.</param>
/// <param name="Mistakes">What is wrong with the command line as such, one line each.</param>
internal sealed record GivenOptions(IReadOnlyDictionary<string, string?> Values, IReadOnlyList<string> Mistakes);

/// <summary>The command <c>apikey</c>: makes a key for a client, and what <c>access.json</c> has of it. The key itself is shown once and kept nowhere.</summary>
internal static class ApiKeyCommand
{
    private const int MaxDays = 3650;

    public static Command Create(TimeProvider time, TextWriter output)
    {
        var days = new Option<int>("--days") { HelpName = "DAYS", Description = "Days until it expires, 1 to 3650 [default: 365]", DefaultValueFactory = static _ => 365 };
        days.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: var text }] && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= MaxDays))
            {
                result.AddError($"--days is '{text}', expected 1 to {MaxDays}");
            }
        });
        var command = new Command("apikey", "Makes an API key, and the entry of access.json that knows it.") { days };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(days), time, output));
        return command;
    }

    private static async Task<int> RunAsync(int days, TimeProvider time, TextWriter output)
    {
        var id = RandomNumberGenerator.GetHexString(12, lowercase: true);
        var secret = RandomNumberGenerator.GetHexString(64, lowercase: true);
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = new byte[SHA256.HashSizeInBytes];
        ApiKey.Hash(salt, secret, hash);
        var entry = JsonSerializer.Serialize(new
        {
            id,
            salt = Convert.ToHexStringLower(salt),
            sha256 = Convert.ToHexStringLower(hash),
            expires = time.GetUtcNow().AddDays(days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        });
        await output.WriteLineAsync($"{id}.{secret}").ConfigureAwait(false);
        await output.WriteLineAsync(entry).ConfigureAwait(false);
        return 0;
    }
}

namespace Cluster.Silo.Options;

/// <summary>
/// Everything that can be set from outside: as a command-line option (<c>--http-port</c>), as a configuration key (<c>Cluster:HttpPort</c> in
/// appsettings.json) and as an environment variable (<c>Cluster__HttpPort</c>). The command line wins over the environment, that over the file.
/// </summary>
public sealed class ServeOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cluster";

    /// <summary>What the process is; the command line's first word. Default all.</summary>
    public ServeRole Role { get; set; }

    /// <summary>Folder of models, <c>&lt;name&gt;/&lt;version&gt;/model.onnx</c>. Default <c>models</c> in the current folder, unless <see cref="Config"/> is given.</summary>
    public string? Models { get; set; }

    /// <summary>A config.json in OpenVINO Model Server's form. Default none.</summary>
    public string? Config { get; set; }

    /// <summary>Folder that clients may register models from. Default that of <see cref="Models"/>; without either nothing can be registered.</summary>
    public string? RegisteredModels { get; set; }

    /// <summary>The address to listen on. Default 127.0.0.1.</summary>
    public string Bind { get; set; } = "127.0.0.1";

    /// <summary>Port of REST, metrics and health; 0 takes a free one. Default 8000.</summary>
    public int HttpPort { get; set; } = 8000;

    /// <summary>Port of gRPC; 0 takes a free one. Default 8001.</summary>
    public int GrpcPort { get; set; } = 8001;

    /// <summary>
    /// The Redis that the processes of a cluster share: <c>host:port</c>, several separated by commas. Default none: this process is the whole cluster.
    /// </summary>
    public string? Redis { get; set; }

    /// <summary>A file with the password of Redis; white space around it is left out. Default none.</summary>
    public string? RedisPasswordFile { get; set; }

    /// <summary>Processes with the same Redis and another name are another cluster: 1 to 63 letters, digits, dots, dashes or underscores. Default "cluster".</summary>
    public string ClusterId { get; set; } = "cluster";

    /// <summary>Port for the other processes of the cluster; 0 takes a free one. Default 8002.</summary>
    public int SiloPort { get; set; } = 8002;

    /// <summary>
    /// The IP address under which the other processes reach this silo. Default that of <see cref="Bind"/>, or where that is every address, this machine's first
    /// that is not loopback.
    /// </summary>
    public string? Advertise { get; set; }

    /// <summary>What this silo has, for models that need or prefer it: names separated by commas. Default none.</summary>
    public string Labels { get; set; } = "";

    /// <summary>Seconds between two looks at the repository, 0.1 to 86,400; 0 looks only when asked. Default 1.</summary>
    public double PollSeconds { get; set; } = 1;

    /// <summary>The largest request, MiB, 1 to 2000. Default 256.</summary>
    public int MaxMessageMiB { get; set; } = 256;

    /// <summary>
    /// Bytes that loaded models may take together: a number with KiB, MiB, GiB, TiB or no unit for bytes, at least 1 MiB; or <c>unlimited</c>. Null, the
    /// default, takes 60 % of the memory that the process may use: its control group's limit, else the machine's memory. More keeps more models loaded, and
    /// leaves less for what they need while they run, for requests and for the process itself.
    /// </summary>
    public string? Capacity { get; set; }

    /// <summary>Threads that run models, 1 to 4096; 0, the default, takes four a processor and at least 8.</summary>
    public int InferenceThreads { get; set; }

    /// <summary>Requests that may wait in front of one model copy, 0 to 1,000,000. Default 1000.</summary>
    public int QueueLimit { get; set; } = 1000;

    /// <summary>Seconds that a stop may take to finish what runs, 1 to 3600. Default 30.</summary>
    public int StopSeconds { get; set; } = 30;

    /// <summary>The name in the server's metadata. Default "cluster".</summary>
    public string ServerName { get; set; } = "cluster";

    /// <summary><c>text</c>, the default, or <c>json</c>.</summary>
    public string LogFormat { get; set; } = "text";

    /// <summary><c>Trace</c>, <c>Debug</c>, <c>Information</c>, the default, <c>Warning</c> or <c>Error</c>.</summary>
    public string LogLevel { get; set; } = "Information";
}

using System.Net;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Cluster.Unit.Clustering;

/// <summary>One process' view of the membership table in a real Redis, put together as the silo does.</summary>
internal sealed class TableProcess : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly Task<IConnectionMultiplexer> _redis;

    private TableProcess(IHost host, Task<IConnectionMultiplexer> redis, KillRecorder membership, SiloAddress silo)
    {
        _host = host;
        _redis = redis;
        Membership = membership;
        Silo = silo;
        Table = host.Services.GetRequiredService<IMembershipTable>();
    }

    public SiloAddress Silo { get; }

    public KillRecorder Membership { get; }

    public IMembershipTable Table { get; }

    /// <param name="number">Of the silo, from 1.</param>
    /// <param name="patient">True: operations have the time that a busy machine takes. False: they are given up after a second, as a test that takes Redis away wants.</param>
    public static TableProcess Create(RedisServer server, string cluster, int number, TimeProvider? time = null, bool patient = true)
    {
        var configuration = new ConfigurationOptions
        {
            EndPoints = { server.Endpoint },
            AbortOnConnectFail = false,
            BacklogPolicy = BacklogPolicy.FailFast,
            ReconnectRetryPolicy = new LinearRetry(100),
            HeartbeatInterval = TimeSpan.FromMilliseconds(100),
            AsyncTimeout = patient ? (int)Wait.Limit.TotalMilliseconds : 1000,
            ConnectTimeout = patient ? (int)Wait.Limit.TotalMilliseconds : 1000,
        };
        var redis = ConnectAsync(configuration);
        var membership = new KillRecorder();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton<Func<Task<IConnectionMultiplexer>>>(() => redis);
        builder.UseOrleans(silo =>
        {
            silo.Services.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster, cluster));
            silo.AddClusterMembership();
        });
        builder.Services.AddSingleton<IClusterMembershipService>(membership);
        return new TableProcess(builder.Build(), redis, membership, SiloAddress.New(IPAddress.Loopback, 1000 + number, 1));
    }

    /// <summary>Writes the own row, inserted if need be.</summary>
    public async Task<bool> WriteAsync(SiloStatus status, SiloAddress? silo = null)
    {
        silo ??= Silo;
        var data = await Table.ReadAllAsync();
        if (data.TryGet(silo) is not { } row)
        {
            return await Table.InsertRowAsync(Entry(silo, status), data.Version.Next());
        }

        row.Item1.Status = status;
        return await Table.UpdateRowAsync(row.Item1, row.Item2, data.Version.Next());
    }

    public static MembershipEntry Entry(SiloAddress silo, SiloStatus status) => new()
    {
        SiloAddress = silo,
        Status = status,
        HostName = "host",
        SiloName = $"silo {silo.Endpoint.Port}",
        RoleName = "role",
        ProxyPort = 7,
        SuspectTimes = [],
        StartTime = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc),
        IAmAliveTime = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc),
    };

    public async ValueTask DisposeAsync()
    {
        await (await _redis).CloseAsync(allowCommandsToComplete: false);
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    private static async Task<IConnectionMultiplexer> ConnectAsync(ConfigurationOptions configuration) => await ConnectionMultiplexer.ConnectAsync(configuration);
}

using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.Loader;
using Cluster.Contracts.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Silo.Dashboard;

/// <summary>
/// The libraries of the dashboard, 18 MiB in a folder beside the program that images leave out. Nothing of it is loaded, nor named to Orleans, unless it is asked for.
/// </summary>
internal static class DashboardFolder
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "dashboard");

    /// <summary>The port that is asked for; 0: none.</summary>
    /// <param name="configuration">Its mistakes count as not given.</param>
    public static int PortOf(IConfiguration configuration)
    {
        var options = new DashboardOptions();
        OptionSection.Bind(configuration, options);
        return options.Port;
    }

    /// <summary>What is wrong with asking for the dashboard here; null: nothing.</summary>
    public static string? Check(IConfiguration configuration) =>
        PortOf(configuration) is var port && (port == 0 || Directory.Exists(Folder))
            ? null
            : OptionSection.Say(configuration, $"{OptionProperty.SectionOf(typeof(DashboardOptions))}:{nameof(DashboardOptions.Port)}", $"{port}", "0: this program comes without its folder 'dashboard'");

    /// <summary>Loads the libraries; Orleans takes over the grain classes of those that are loaded when it is added.</summary>
    public static void Load()
    {
        AssemblyLoadContext.Default.Resolving -= Find;
        AssemblyLoadContext.Default.Resolving += Find;
        LoadCore();
    }

    /// <param name="port">Not 0.</param>
    public static void AddTo(IServiceCollection services, int port) => Cluster.Dashboard.DashboardExtensions.AddOrleansDashboard(services, port);

    // Apart: its libraries are resolved when this is compiled, after the folder is known.
    private static void LoadCore() => Cluster.Dashboard.DashboardExtensions.Load();

    private static Assembly? Find(AssemblyLoadContext context, AssemblyName name) =>
        Path.Combine(Folder, name.Name + ".dll") is var file && File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
}

/// <summary>Orleans' dashboard: grains, their calls and the silos, for people.</summary>
[Section("Dashboard")]
public sealed class DashboardOptions
{
    /// <summary>
    /// The port of 127.0.0.1 that the dashboard listens on. 0, the default, leaves the dashboard out. All users of this machine can read it. While a page is open, each
    /// call of a grain is counted.
    /// </summary>
    [Range(0, 65535)]
    public int Port { get; set; }
}

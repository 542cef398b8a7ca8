using Cluster.Gateway.Traffic;

namespace Cluster.Gateway.Serving;

/// <summary>Which model a request is for.</summary>
/// <param name="Model">The model's own name; empty where the request names none.</param>
/// <param name="Alias">The alias that the request named instead, or null.</param>
/// <param name="Ticket">Of an alias with a traffic rule; null without one.</param>
internal readonly record struct ModelTarget(string Model, string? Alias, TrafficTicket? Ticket = null)
{
    /// <summary>The version that a request about the model means: the one that it names, else the active one of the alias's traffic rule; empty for the server's choice.</summary>
    public string VersionOf(string requested) => requested.Length > 0 ? requested : Ticket?.Rule.ActiveVersion ?? "";
}

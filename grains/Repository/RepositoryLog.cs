using Cluster.Contracts.Models;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Repository;

/// <summary>Logs a problem when it appears and when it is gone, not at every scan.</summary>
internal sealed class RepositoryLog(ILogger logger)
{
    private HashSet<Entry> _known = [];
    private bool _isFirst = true;

    public void Report(RepositorySnapshot snapshot)
    {
        var current = new HashSet<Entry>(Entries(snapshot));
        foreach (var entry in current.Where(entry => !_known.Contains(entry)))
        {
            Write(entry);
        }

        foreach (var entry in _known.Where(entry => !current.Contains(entry)))
        {
            Log.Resolved(logger, entry.Model ?? "-", entry.Version, entry.Message);
        }

        _known = current;
        if (_isFirst)
        {
            Log.FirstScan(logger, snapshot.Models.Count, snapshot.Models.Values.Sum(model => model.Versions.Length));
            _isFirst = false;
        }
    }

    private static IEnumerable<Entry> Entries(RepositorySnapshot snapshot) =>
    [
        .. snapshot.Problems.Select(message => new Entry(null, 0, message, IsWarning: false)),
        .. snapshot.Warnings.Select(message => new Entry(null, 0, message, IsWarning: true)),
        .. snapshot.Models.Values.SelectMany(OfModel),
    ];

    private static IEnumerable<Entry> OfModel(ModelRegistration model)
    {
        if (model.Problem is { } problem)
        {
            yield return new Entry(model.Name, 0, problem, IsWarning: false);
        }

        foreach (var version in model.Versions.Where(version => version.Problem is not null))
        {
            yield return new Entry(model.Name, version.Version, version.Problem!, IsWarning: false);
        }
    }

    private void Write(Entry entry)
    {
        switch (entry)
        {
            case { IsWarning: true }:
                Log.Warning(logger, entry.Message);
                break;
            case { Model: null }:
                Log.RepositoryProblem(logger, entry.Message);
                break;
            case { Version: 0 }:
                Log.ModelProblem(logger, entry.Model, entry.Message);
                break;
            default:
                Log.VersionProblem(logger, entry.Model, entry.Version, entry.Message);
                break;
        }
    }

    /// <param name="Model">Null for the repository as a whole.</param>
    /// <param name="Version">0 for the model as a whole.</param>
    /// <param name="Message">What is wrong.</param>
    /// <param name="IsWarning">Served nevertheless.</param>
    private readonly record struct Entry(string? Model, long Version, string Message, bool IsWarning);
}

/// <summary>Event ids 2000 to 2049.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Warning, "Model repository: {Problem}")]
    public static partial void RepositoryProblem(ILogger logger, string problem);

    [LoggerMessage(2001, LogLevel.Warning, "Model repository: {Message}")]
    public static partial void Warning(ILogger logger, string message);

    [LoggerMessage(2002, LogLevel.Warning, "Model {Model}: {Problem}")]
    public static partial void ModelProblem(ILogger logger, string model, string problem);

    [LoggerMessage(2003, LogLevel.Warning, "Model {Model} version {Version}: {Problem}")]
    public static partial void VersionProblem(ILogger logger, string model, long version, string problem);

    [LoggerMessage(2004, LogLevel.Information, "Model repository: no longer (model {Model}, version {Version}): {Problem}")]
    public static partial void Resolved(ILogger logger, string model, long version, string problem);

    [LoggerMessage(2006, LogLevel.Warning, "Did not hear from silo {Silo} what its model repository holds: {Reason}")]
    public static partial void RepositoryNotAsked(ILogger logger, string silo, string reason);

    [LoggerMessage(2005, LogLevel.Information, "Model repository: {Models} models with {Versions} versions")]
    public static partial void FirstScan(ILogger logger, int models, int versions);
}

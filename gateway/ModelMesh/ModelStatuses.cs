using System.Globalization;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Serving;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Gateway.ModelMesh;

/// <summary>A model's serving state in ModelMesh's terms, which know no versions: the best of them counts.</summary>
internal static class ModelStatuses
{
    /// <param name="state">Null for a registered model of which this gateway has not heard yet.</param>
    public static ModelStatusInfo Of(ModelServingState? state)
    {
        if (state is null)
        {
            return new ModelStatusInfo { Status = Status.NotLoaded };
        }

        var info = new ModelStatusInfo { Status = Summarize(state) };
        if (state.Problem is { } problem)
        {
            info.Errors.Add(problem);
        }

        info.Errors.AddRange(state.Versions
            .Where(version => !ServingReasons.IsIntended(version.Reason))
            .OrderByDescending(version => version.Since)
            .Select(version => string.Create(CultureInfo.InvariantCulture, $"version {version.Version}: {version.Reason}")));
        info.ModelCopyInfos.AddRange(state.Versions
            .SelectMany(version => Copies(version))
            .OrderByDescending(replica => replica.Time));
        return info;
    }

    private static Status Summarize(ModelServingState state)
    {
        if (state.Serves)
        {
            return Status.Loaded;
        }

        if (state.Versions.Any(version => version.State == ModelVersionState.Loading))
        {
            return Status.Loading;
        }

        return state.Problem is not null || state.Versions.Any(version => version.Failed) ? Status.LoadingFailed : Status.NotLoaded;
    }

    private static IEnumerable<ModelStatusInfo.Types.ModelCopyInfo> Copies(VersionServingState version)
    {
        switch (version)
        {
            case { State: ModelVersionState.Ready or ModelVersionState.Loading }:
                foreach (var replica in version.Replicas)
                {
                    yield return Copy(replica.Silo.ToParsableString(), Status.Loaded);
                }

                if (version is { State: ModelVersionState.Ready, Replicas.IsEmpty: true })
                {
                    // ModelMesh has no status for a model that its next request loads.
                    yield return Copy("", Status.Loaded);
                }

                foreach (var replica in version.Arriving)
                {
                    yield return Copy(replica.Silo.ToParsableString(), Status.Loading);
                }

                break;
            case { Failed: true }:
                yield return Copy("", Status.LoadingFailed);
                break;
        }

        ModelStatusInfo.Types.ModelCopyInfo Copy(string location, Status status) => new()
        {
            Location = location,
            CopyStatus = status,
            Time = (ulong)(version.Since?.ToUnixTimeMilliseconds() ?? 0),
        };
    }
}

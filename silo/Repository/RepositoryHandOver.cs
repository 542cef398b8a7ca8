using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Repository;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Repository;

/// <summary>
/// Hands models of the repository over to their grains, and keeps what was handed over and what failed. One look at a time uses it; changes end on any thread.
/// </summary>
internal sealed class RepositoryHandOver(IGrainFactory grains, IServingStates states, RepositoryStanding standing, ILogger logger)
{
    private readonly Dictionary<string, ModelRegistration> _handedOver = new(StringComparer.Ordinal);

    /// <summary>Models with names that clients have registered. They are handed over again until they are taken.</summary>
    private readonly ConcurrentDictionary<string, bool> _refused = new(StringComparer.Ordinal);

    /// <summary>Models whose change failed, such as by a silo that was lost with it, and how; they are handed over again at the next look.</summary>
    private readonly ConcurrentDictionary<string, Exception> _failed = new(StringComparer.Ordinal);

    /// <summary>What was handed over last, by name.</summary>
    public IReadOnlyDictionary<string, ModelRegistration> Models => _handedOver;

    /// <summary>Models whose change failed.</summary>
    public ICollection<string> Failed => _failed.Keys;

    /// <summary>How the model's change failed; null if it did not.</summary>
    public Exception? FailureOf(string model) => _failed.GetValueOrDefault(model);

    /// <summary>Models that another silo may have handed over before: what went meanwhile is handed over as gone.</summary>
    public void AdoptKnown()
    {
        foreach (var known in states.All.Where(state => state.Origin == RegistrationOrigin.Repository))
        {
            _handedOver.TryAdd(known.Name, new ModelRegistration { Name = known.Name, Versions = [] });
        }
    }

    /// <summary>Models of which something is to be handed over, in the order of names.</summary>
    /// <param name="only">The one model to look at; null for all.</param>
    /// <param name="everything">Whether unchanged ones count too.</param>
    public List<string> Changed(RepositorySnapshot snapshot, string? only, bool everything)
    {
        var present = snapshot.Models.Where(model =>
            everything || _refused.ContainsKey(model.Key) || _failed.ContainsKey(model.Key) || !ReferenceEquals(_handedOver.GetValueOrDefault(model.Key), model.Value)).Select(model => model.Key);
        var gone = _handedOver.Keys.Union(_failed.Keys).Where(name => !snapshot.Models.ContainsKey(name));
        return [.. present.Concat(gone).Where(name => only is null || only == name).Order(StringComparer.Ordinal)];
    }

    /// <summary>Starts the change of every model that is named.</summary>
    public List<Task> Begin(RepositorySnapshot snapshot, IEnumerable<string> models, bool retryFailed)
    {
        var changes = new List<Task>();
        var prints = (standing.HandedOver ?? ImmutableDictionary<string, string>.Empty).ToBuilder();
        foreach (var name in models)
        {
            if (snapshot.Models.TryGetValue(name, out var registration))
            {
                _handedOver[name] = registration;
                prints[name] = RepositoryVote.Fingerprint(registration)!;
                changes.Add(ApplyAsync(registration, retryFailed, isAgain: _failed.TryRemove(name, out _)));
            }
            else
            {
                _handedOver.Remove(name);
                prints.Remove(name);
                changes.Add(ApplyAsync(new ModelRegistration { Name = name, Versions = [] }, retryFailed: false, isAgain: _failed.TryRemove(name, out _)));
            }
        }

        standing.HandedOver = prints.ToImmutable();
        return changes;
    }

    /// <summary>Problems as the index and errors tell them; the repository has logged them as they are.</summary>
    private static ModelRegistration ForClients(ModelRegistration registration) =>
        registration.Problem is null && registration.Versions.All(static version => version.Problem is null)
            ? registration
            : registration with
            {
                Problem = registration.Problem is { } problem ? ClientText.Of(problem) : null,
                Versions = [.. registration.Versions.Select(static version => version.Problem is { } problem ? version with { Problem = ClientText.Of(problem) } : version)],
            };

    /// <param name="isAgain">Whether the same failed before, which is in the log.</param>
    private async Task ApplyAsync(ModelRegistration registration, bool retryFailed, bool isAgain)
    {
        try
        {
            await grains.GetGrain<IModelGrain>(registration.Name).ApplyAsync(ForClients(registration), retryFailed, CancellationToken.None).ConfigureAwait(false);
            _refused.TryRemove(registration.Name, out _);
        }
        catch (ServingException exception) when (exception.Failure.Code == StatusCode.AlreadyExists)
        {
            if (_refused.TryAdd(registration.Name, true))
            {
                Log.NameTaken(logger, exception.Message);
            }
        }
        catch (Exception exception) when (exception.GetBaseException() is ObjectDisposedException)
        {
            // A start that failed elsewhere, such as for a port in use, disposes of the services while models are still handed over.
            Log.ProcessEnds(logger, registration.Name);
        }
        catch (Exception exception) when (exception.GetBaseException() is OrleansException)
        {
            // A silo that ends, this one included, is no fault of the program: the next look hands the model over again.
            _failed[registration.Name] = exception;
            if (!isAgain)
            {
                Log.ChangeLost(logger, registration.Name, exception.GetBaseException().Message);
            }
        }
        catch (Exception exception)
        {
            // The edge of the watching loop: one model's trouble is logged and must not end the watching of the others.
            _failed[registration.Name] = exception;
            if (!isAgain)
            {
                Log.ChangeFailed(logger, exception, registration.Name);
            }
        }
    }
}

using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Gateway.Traffic;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.ModelMesh;

/// <summary>
/// From what a request names to the model that answers it. Models and aliases have names of their own: a header says which is meant. A plain name is a
/// model's if there is such a model, else an alias's.
/// </summary>
internal sealed class ModelNames(RouteTable routes, IAliases aliases, TrafficTable traffic, IGrainFactory grains, ControlCalls control)
{
    /// <summary>Takes no lock and no network.</summary>
    /// <param name="name">What the message or the path says.</param>
    /// <param name="header">What the headers say; they win.</param>
    /// <exception cref="ServingException">NOT_FOUND: the header names no alias. That a model is not there is found out when it is asked.</exception>
    public ModelTarget Resolve(string name, ModelHeader header)
    {
        if (header.Model is { } model)
        {
            return new ModelTarget(model, null);
        }

        if (header.Alias is { } wanted)
        {
            return aliases.TryGet(wanted, out var named)
                ? new ModelTarget(named.Active, wanted, traffic.TicketFor(named))
                : throw new ServingException(Failure.NotFound($"Request for unknown alias: '{wanted}' is not found"));
        }

        return !routes.Contains(name) && aliases.TryGet(name, out var alias) ? new ModelTarget(alias.Active, name, traffic.TicketFor(alias)) : new ModelTarget(name, null);
    }

    /// <summary>
    /// As above, for a caller that may not do everything. The name that it gave must be allowed to it, or the model that an alias leads to. In the latter case the
    /// alias is not followed again, which could lead elsewhere. Its candidate is for those alone that may use that by its own name.
    /// </summary>
    /// <exception cref="ServingException">In addition: PERMISSION_DENIED, whether or not there is such a model or alias.</exception>
    public ModelTarget Resolve(string name, ModelHeader header, Caller caller, Permission permission)
    {
        var given = header.Model ?? header.Alias ?? name;
        if (given.Length == 0)
        {
            // No model's name: statistics of all models, or a request that finds none.
            return new ModelTarget("", null);
        }

        caller.Note(given);
        if (caller.May(permission, given))
        {
            return Resolve(name, header);
        }

        var isAlias = aliases.TryGet(given, out var known) && header.Model is null && (header.Alias is not null || !routes.Contains(given));
        if (!caller.May(permission, isAlias ? known!.Active : given))
        {
            throw new ServingException(caller.Refuse(permission, given));
        }

        if (!isAlias)
        {
            return new ModelTarget(given, null);
        }

        var ticket = traffic.TicketFor(known!);
        return new ModelTarget(known!.Active, null, ticket is null ? null : ticket with { IsActiveOnly = !caller.May(permission, ticket.Rule.Rule.Candidate) });
    }

    /// <summary>The present model of an alias that led to a missing one, as it may just have moved.</summary>
    /// <returns>Null if it leads to <paramref name="missing"/> for good.</returns>
    public async ValueTask<string?> FollowAsync(string alias, string missing, CancellationToken cancellationToken)
    {
        if (aliases.TryGet(alias, out var known) && known.Active != missing)
        {
            return known.Active;
        }

        // This process may not have heard of it yet; the alias itself knows.
        var state = await control.RunAsync(() => grains.GetAlias(alias).GetAsync(), cancellationToken)
            .AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        return state is not null && state.Active != missing ? state.Active : null;
    }

    /// <summary>Has a registered model loaded that waits for its first request; returns when it has loaded or failed.</summary>
    /// <returns>Whether it was so.</returns>
    public ValueTask<bool> WakeAsync(string model, CancellationToken cancellationToken) =>
        routes.WaitsForUse(model) ? WakeCoreAsync(model, cancellationToken) : ValueTask.FromResult(false);

    private async ValueTask<bool> WakeCoreAsync(string model, CancellationToken cancellationToken)
    {
        await control.RunAsync(() => grains.GetModel(model).WakeAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        return true;
    }
}

/// <summary>
/// The headers by which ModelMesh's clients choose a model: <c>mm-model-id</c> or <c>mm-vmodel-id</c>, the latter for an alias. Each is also known with <c>-bin</c>,
/// for names beyond ASCII, in base64 of UTF-8. They go before the name in the message or the path.
/// </summary>
internal static class ModelHeaders
{
    public const string Model = "mm-model-id";
    public const string ModelBinary = "mm-model-id-bin";
    public const string Alias = "mm-vmodel-id";
    public const string AliasBinary = "mm-vmodel-id-bin";

    /// <summary>More than a name of 255 characters takes in base64.</summary>
    private const int MaxLength = 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ServingException">INVALID_ARGUMENT: more than one of them, an empty one, or one that cannot be read.</exception>
    public static ModelHeader Read(IHeaderDictionary headers)
    {
        string? found = null;
        string? value = null;
        Take(headers, Model, ref found, ref value);
        Take(headers, ModelBinary, ref found, ref value);
        Take(headers, Alias, ref found, ref value);
        Take(headers, AliasBinary, ref found, ref value);
        if (value?.Length > MaxLength)
        {
            throw ServingException.InvalidArgument($"the header {found} is longer than {MaxLength} characters");
        }

        return found switch
        {
            null => default,
            Model => new ModelHeader(value, null),
            ModelBinary => new ModelHeader(Decode(found, value!), null),
            Alias => new ModelHeader(null, value),
            _ => new ModelHeader(null, Decode(found, value!)),
        };
    }

    private static void Take(IHeaderDictionary headers, string name, ref string? found, ref string? value)
    {
        if (!headers.TryGetValue(name, out StringValues values))
        {
            return;
        }

        if (found is not null)
        {
            throw ServingException.InvalidArgument($"the headers {found} and {name} are both given, expected one of them");
        }

        if (values.Count != 1 || string.IsNullOrEmpty(values[0]))
        {
            throw ServingException.InvalidArgument(
                values.Count > 1 ? $"the header {name} is given {values.Count} times, expected once" : $"the header {name} is empty, expected a name");
        }

        found = name;
        value = values[0];
    }

    private static string Decode(string header, string value)
    {
        try
        {
            // gRPC clients may leave the padding out.
            return StrictUtf8.GetString(Convert.FromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '=')));
        }
        catch (Exception exception) when (exception is FormatException or DecoderFallbackException)
        {
            throw new ServingException(Failure.InvalidArgument($"the header {header} is not base64 of UTF-8"), exception);
        }
    }
}

/// <summary>What a request's headers name: a model, an alias, or neither.</summary>
internal readonly record struct ModelHeader(string? Model, string? Alias);

using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Logging;
using Cluster.Contracts.Models;
using Cluster.Grains.Memory;
using Cluster.Grains.Objects.Downloads;
using Cluster.Grains.OpenVino;
using Cluster.Grains.Trust;
using Cluster.Grains.Workers;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>Opens ONNX Runtime sessions as a model's settings ask.</summary>
/// <param name="fetch">Has what lies in object storage on this machine; null where all files are.</param>
/// <param name="samples">Reads the samples beside models; null leaves them.</param>
/// <param name="graphs">Keeps optimized graphs; null keeps none.</param>
internal sealed class SessionFactory(
    OnnxEnvironment environment,
    CompiledGraphs compiled,
    VersionReader versions,
    TimeProvider time,
    ILogger<SessionFactory> logger,
    VersionFetch? fetch = null,
    ISampleReader? samples = null,
    OptimizedGraphs? graphs = null) : IDisposable
{
    /// <summary>Loading keeps a processor busy: more at once would only slow each other and the inference down.</summary>
    private readonly SemaphoreSlim _slots = new(Environment.ProcessorCount);

    /// <summary>Free room is looked at and taken by one after the other.</summary>
    private readonly SemaphoreSlim _oneSolo = new(1);

    private readonly CauseLimiter _failedRuns = new(time);
    private readonly SessionRunners _runners = new(time);
    private readonly ModelWarmUp _warmUp = new(samples, time, logger);
    private readonly SessionPreparation _preparation = new(environment);
    private readonly NativeHeap _heap = new(time);

    /// <summary>OpenVINO compiles on all processors, and its memory can be told from another's only where it compiles alone.</summary>
    private readonly SemaphoreSlim _oneCompilation = new(1);

    /// <summary>Whether another load would begin at once.</summary>
    internal bool IsFree => _slots.CurrentCount > 0;

    /// <summary>Opens a session, on a thread of its own and not more at a time than there are processors. What is in object storage is downloaded first.</summary>
    /// <param name="tell">Told the percentage of a large download; null for nothing.</param>
    /// <param name="cancellationToken">Ends the load at ONNX Runtime's next step: a stage of reading, optimizing, partitioning or preparing the graph.</param>
    /// <exception cref="ServingException">UNAVAILABLE, with the cause: the file is no model or not to be trusted, a provider is missing…</exception>
    /// <exception cref="OperationCanceledException">The load was given up.</exception>
    internal Task<LoadedModel> OpenAsync(string model, ReplicaSpec spec, Action<int>? tell, CancellationToken cancellationToken) =>
        WithFilesAsync(spec, tell, local => InSlotAsync(() => Open(model, spec, local, cancellationToken), cancellationToken), cancellationToken);

    /// <inheritdoc cref="OpenAsync(string, ReplicaSpec, Action{int}, CancellationToken)"/>
    internal Task<LoadedModel> OpenAsync(string model, ReplicaSpec spec, CancellationToken cancellationToken) => OpenAsync(model, spec, null, cancellationToken);

    /// <summary>Opens a second session of a model that is loaded, with all cores for requests that are alone.</summary>
    /// <param name="waits">Whether for another such session, or the graph of another model, that is being made; false ends without one.</param>
    /// <param name="fits">Whether there is room for it, asked when no other such session is being opened; the room is taken by <paramref name="added"/>.</param>
    /// <returns>False where there is no room, or the model has ended meanwhile.</returns>
    /// <exception cref="ServingException">As for the first, or the files are other ones now.</exception>
    /// <exception cref="OperationCanceledException">The model is unloaded.</exception>
    internal async Task<bool> AddSoloAsync(LoadedModel model, ReplicaSpec spec, bool waits, Func<bool> fits, Action added, CancellationToken cancellationToken)
    {
        if (!await _oneSolo.WaitAsync(waits ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        try
        {
            if (!fits() || !await WithFilesAsync(spec, null, local => InSlotAsync(() => AddSolo(model, spec, local, cancellationToken), cancellationToken), cancellationToken).ConfigureAwait(false))
            {
                return false;
            }

            added();
            return true;
        }
        finally
        {
            _oneSolo.Release();
        }
    }

    /// <summary>Has the optimized graph of a model that is loaded kept for the next load, if the model wants it.</summary>
    /// <param name="fits">Whether there is room for another session and its graph at this moment.</param>
    /// <exception cref="OperationCanceledException">The model is unloaded.</exception>
    internal async Task KeepGraphAsync(LoadedModel model, ReplicaSpec spec, Func<bool> fits, CancellationToken cancellationToken)
    {
        if (graphs is null || model.GraphToKeep is not { } key)
        {
            return;
        }

        await _oneSolo.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!fits())
            {
                Log.GraphNotKept(logger, model.Name, model.Version, "there is no room to make it in");
                return;
            }

            var kept = await WithFilesAsync(
                spec,
                null,
                local => Task.Factory.StartNew(() => KeepGraph(graphs, key, model, spec, local, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
                cancellationToken).ConfigureAwait(false);
            if (kept is { } bytes)
            {
                Log.GraphKept(logger, model.Name, model.Version, bytes);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ServingException or OnnxRuntimeException or InvalidDataException)
        {
            // Nothing needs it: the next load optimizes the graph again.
            cancellationToken.ThrowIfCancellationRequested();
            Log.GraphNotKept(logger, model.Name, model.Version, exception.Message.TrimEnd());
        }
        finally
        {
            _oneSolo.Release();
            _heap.Freed();
        }
    }

    /// <summary>On a thread of its own, which leaves the processors to those that serve.</summary>
    private long? KeepGraph(OptimizedGraphs graphs, string key, LoadedModel model, ReplicaSpec spec, ReplicaSpec local, CancellationToken cancellationToken)
    {
        _ = ThreadNiceness.TryYield();
        using var content = versions.Read(model.Name, local, cancellationToken);
        return graphs.KeyOf(content, model.Plan, spec.Settings, environment.Version) != key ? null : graphs.Keep(key, model.LoadedBytes, path =>
        {
            using var options = _preparation.Options(model.Name, model.Version, spec.Settings, model.Plan with { SessionThreads = 1 });

            // Disposed before the options: that waits for a callback that uses them.
            using var giveUp = cancellationToken.UnsafeRegister(static options => ((SessionOptions)options!).SetLoadCancellationFlag(true), options);
            options.OptimizedModelFilePath = path;
            options.AddExternalFiles(content.External);
            using var session = new InferenceSession(content.Graph!.Path, options);
            WrittenGraph.Settle(path, session.InputNames, session.OutputNames);
        });
    }

    /// <summary>Opens what is in a local folder; once more where the files that were kept there had changed.</summary>
    private async Task<T> WithFilesAsync<T>(ReplicaSpec spec, Action<int>? tell, Func<ReplicaSpec, Task<T>> open, CancellationToken cancellationToken)
    {
        if (fetch is null)
        {
            return await open(spec).ConfigureAwait(false);
        }

        for (var again = false; ; again = true)
        {
            using var local = await fetch.FetchAsync(spec, tell, cancellationToken).ConfigureAwait(false);
            try
            {
                return await open(local.Spec).ConfigureAwait(false);
            }
            catch (ServingException)
            {
                if (again || !await Task.Run(local.DropIfDamaged, cancellationToken).ConfigureAwait(false))
                {
                    throw;
                }
            }
        }
    }

    private async Task<T> InSlotAsync<T>(Func<T> open, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Factory.StartNew(open, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _slots.Dispose();
        _runners.Dispose();
        _oneSolo.Dispose();
        _oneCompilation.Dispose();
        _heap.Dispose();
    }

    /// <summary>On OpenVINO where it is wanted, and on the CPU where it may be and OpenVINO does not take the graph.</summary>
    /// <param name="local">The same with files on this machine.</param>
    private LoadedModel Open(string model, ReplicaSpec spec, ReplicaSpec local, CancellationToken cancellationToken)
    {
        using var content = versions.Read(model, local, cancellationToken);
        var (source, settings) = (spec.Source, spec.Settings);
        if (settings.ExecutionProvider == ExecutionProvider.Cpu)
        {
            return OpenOn(SessionPlan.OnCpu(settings), model, source, content, settings, cancellationToken);
        }

        string reason;
        try
        {
            if (_preparation.NoOpenVino(settings.ProviderOptions) is { } lack)
            {
                throw new ServingException(Failure.Unavailable(lack, LoadFailures.RetryAfter));
            }

            return OpenOnOpenVino(model, source, content, settings, cancellationToken);
        }
        catch (ServingException exception) when (settings.ExecutionProvider == ExecutionProvider.Auto && exception.Failure.Code == StatusCode.Unavailable)
        {
            reason = exception.Failure.Message;
        }

        var loaded = OpenOn(SessionPlan.OnCpu(settings, reason), model, source, content, settings, cancellationToken);
        Log.ProviderFellBack(logger, model, source.Version, reason);
        return loaded;
    }

    private LoadedModel OpenOnOpenVino(string model, ModelVersionSource source, VersionContent content, ModelSettings settings, CancellationToken cancellationToken)
    {
        if (content.IsSecret && settings.ProviderOptions.Cache)
        {
            throw Refusal.Of("provider_options.cache is true and the model is encrypted; its compiled graph is not written to a disk");
        }

        using var use = settings.ProviderOptions.Cache ? UseFolder(model, source, settings.ProviderOptions) : null;
        _oneCompilation.Wait(cancellationToken);
        try
        {
            return OpenOn(SessionPlan.OnOpenVino(settings, use?.Folder), model, source, content, settings, cancellationToken);
        }
        finally
        {
            _oneCompilation.Release();
        }
    }

    private CompiledGraphs.Loading UseFolder(string model, ModelVersionSource source, ProviderSettings settings)
    {
        try
        {
            return compiled.Use(model, source, settings);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.CannotKeepGraphs(logger, model, source.Version, exception.Message);
            throw new ServingException(
                Failure.Unavailable("provider_options.cache is true and this silo cannot use its folder for compiled graphs; the silo's log says why", LoadFailures.RetryAfter), exception);
        }
    }

    private bool AddSolo(LoadedModel model, ReplicaSpec spec, ReplicaSpec local, CancellationToken cancellationToken)
    {
        using var content = versions.Read(model.Name, local, cancellationToken);
        var plan = model.Plan with { SessionThreads = model.Plan.ThreadsAlone };
        return Open(plan, model.Name, spec.Source, content, spec.Settings, opened =>
        {
            _warmUp.Run(opened.Session, model, content, slots: 1, cancellationToken);

            // Several threads load its weights, of which only this one's are counted: they are those of the first session again.
            return model.TryAddSolo(opened.Session, Math.Max(opened.Memory.Bytes, model.LoadedBytes));
        }, cancellationToken);
    }

    private LoadedModel OpenOn(SessionPlan plan, string model, ModelVersionSource source, VersionContent content, ModelSettings settings, CancellationToken cancellationToken)
    {
        var before = plan.Provider == ExecutionProvider.OpenVino ? NativeHeap.BytesInUse() : 0;
        return Open(plan, model, source, content, settings, opened =>
        {
            var session = opened.Session;
            var signature = ModelSignature.Read(session, settings, DeclaredShapes.FindUndeclared(content.Graph!.Bytes));
            if (!signature.Unserved.IsEmpty)
            {
                Log.OutputsNotServed(logger, model, source.Version, string.Join("; ", signature.Unserved.Select(static output => $"'{output.Key}' {output.Value}")));
            }

            var labels = LabelFiles.Read(content, settings, signature);
            var beside = plan.Provider == ExecutionProvider.OpenVino ? Math.Max(0, NativeHeap.BytesInUse() - before) : 0;
            var loaded = opened.Memory.Bytes + beside;
            var result = new LoadedModel(model, source, session, signature, labels, plan, settings, loaded, time, _heap, _failedRuns, _runners, logger)
            {
                Ended = plan.Cache is null ? null : () => compiled.Sweep(model),
                GraphToKeep = opened.GraphToKeep,
            };
            result.WarmRun = _warmUp.Run(session, result, content, plan.Concurrency, cancellationToken);
            return result;
        }, cancellationToken);
    }

    /// <summary>Opens a session and has <paramref name="use"/> make something of it; it is disposed of if that fails.</summary>
    private T Open<T>(
        SessionPlan plan,
        string model,
        ModelVersionSource source,
        VersionContent content,
        ModelSettings settings,
        Func<OpenedSession, T> use,
        CancellationToken cancellationToken)
    {
        using var options = _preparation.Options(model, source.Version, settings, plan);

        // Disposed before the options: that waits for a callback that uses them.
        using var giveUp = cancellationToken.UnsafeRegister(static options => ((SessionOptions)options!).SetLoadCancellationFlag(true), options);
        InferenceSession? session = null;
        var memory = new MemoryUse();
        memory.Begin();
        try
        {
            var key = graphs?.KeyOf(content, plan, settings, environment.Version);
            session = key is null ? null : OpenKept(key, model, source, options, memory, cancellationToken);
            var isKept = session is not null;
            var start = time.GetTimestamp();
            session ??= OpenPlain(content, options);
            return use(new OpenedSession(session, memory, !isKept && graphs?.IsWorth(time.GetElapsedTime(start), memory.Bytes) == true ? key : null));
        }
        catch (ServingException exception) when (exception.Failure.Code == StatusCode.Unavailable)
        {
            session?.Dispose();
            throw;
        }
        catch (OnnxRuntimeException exception) when (cancellationToken.IsCancellationRequested)
        {
            session?.Dispose();
            throw new OperationCanceledException($"the load of model '{model}' version {source.Version} was given up", exception, cancellationToken);
        }
        catch (OnnxRuntimeException exception) when (memory.Refused > 0)
        {
            session?.Dispose();
            throw new ServingException(TooLarge(model, source.Version, memory), exception);
        }
        catch (Exception exception)
        {
            // The edge to a foreign file: any exception from reading it says that this version does not load, and nothing of the others.
            session?.Dispose();
            var reason = OnnxErrors.Describe(exception, content);
            throw new ServingException(Failure.Unavailable(plan.Provider == ExecutionProvider.OpenVino ? OpenVinoRefusal.Describe(reason) : reason, LoadFailures.RetryAfter), exception);
        }
        finally
        {
            MemoryUse.End();
            _heap.Freed();
        }
    }

    private static InferenceSession OpenPlain(VersionContent content, SessionOptions options)
    {
        options.AddExternalFiles(content.External);
        return new InferenceSession(content.Graph!.Path, options);
    }

    /// <summary>Opens a graph that was optimized before; null where there is none, or ONNX Runtime does not take it.</summary>
    private InferenceSession? OpenKept(string key, string model, ModelVersionSource source, SessionOptions options, MemoryUse memory, CancellationToken cancellationToken)
    {
        if (graphs!.Find(key) is not { } kept)
        {
            return null;
        }

        var level = options.GraphOptimizationLevel;
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
        try
        {
            var session = new InferenceSession(kept, options);
            Log.GraphUsed(logger, model, source.Version);
            return session;
        }
        catch (OnnxRuntimeException exception) when (!cancellationToken.IsCancellationRequested && memory.Refused == 0)
        {
            graphs.Drop(key, exception.Message.TrimEnd());
            options.GraphOptimizationLevel = level;
            memory.Begin();
            return null;
        }
    }

    /// <summary>Room that others take now may be free later; what alone is larger than the limit never loads.</summary>
    private static Failure TooLarge(string model, long version, MemoryUse memory)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"model '{model}' version {version} does not fit in memory: its load held {memory.HeldAtRefusal} bytes and asked for {memory.Refused} more, of {OnnxAllocator.Pool.Limit} in all");
        return memory.HeldAtRefusal + memory.Refused > OnnxAllocator.Pool.Limit ? Failure.Unavailable(text, LoadFailures.RetryAfter) : Failure.Exhausted(text, LoadFailures.RetryAfter);
    }

    /// <param name="Memory">What it took to open.</param>
    /// <param name="GraphToKeep">The key of its optimized graph, where that is worth a file and has none.</param>
    private readonly record struct OpenedSession(InferenceSession Session, MemoryUse Memory, string? GraphToKeep);
}

using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Cluster.Contracts.Models;
using Cluster.Grains.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>Opens ONNX Runtime sessions as a model's settings ask.</summary>
public sealed class SessionFactory(OnnxEnvironment environment, TimeProvider time, ILogger<SessionFactory> logger) : IDisposable
{
    /// <summary>Loading keeps a processor busy: more at once would only slow each other and the inference down.</summary>
    private readonly SemaphoreSlim _slots = new(Environment.ProcessorCount);

    private readonly CauseLimiter _failedRuns = new(time);
    private readonly NativeHeap _heap = new(time);

    private const string OpenVinoProvider = "OpenVINOExecutionProvider";

    /// <summary>Opens a session, on a thread of its own and not more at a time than there are processors.</summary>
    /// <param name="cancellationToken">Ends the load at ONNX Runtime's next step: a stage of reading, optimizing, partitioning or preparing the graph.</param>
    /// <exception cref="ServingException">UNAVAILABLE, with the cause: the file is no model, a provider is missing…</exception>
    /// <exception cref="OperationCanceledException">The load was given up.</exception>
    internal async Task<LoadedModel> OpenAsync(string model, ModelVersionSource source, ModelSettings settings, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Factory.StartNew(
                () => Open(model, source, settings, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
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
        _heap.Dispose();
    }

    private LoadedModel Open(string model, ModelVersionSource source, ModelSettings settings, CancellationToken cancellationToken)
    {
        var (concurrency, threads) = Parallelism.Derive(settings, Environment.ProcessorCount);
        var provider = ChooseProvider(model, source.Version, settings.ExecutionProvider);
        using var options = Options(model, source.Version, settings, provider, threads);

        // Disposed before the options: that waits for a callback that uses them.
        using var giveUp = cancellationToken.UnsafeRegister(static options => ((SessionOptions)options!).SetLoadCancellationFlag(true), options);
        InferenceSession? session = null;
        var memory = new MemoryUse();
        memory.Begin();
        try
        {
            session = new InferenceSession(source.Path, options);
            var signature = ModelSignature.Read(session, settings, DeclaredShapes.FindUndeclared(source.Path));
            if (!signature.Unserved.IsEmpty)
            {
                Log.OutputsNotServed(logger, model, source.Version, string.Join("; ", signature.Unserved.Select(static output => $"'{output.Key}' {output.Value}")));
            }

            var labels = LabelFiles.Read(source.Path, settings, signature);
            return new LoadedModel(model, source, session, signature, labels, provider, concurrency, threads, memory.Bytes, settings.MaxRunBytes, time, _heap, _failedRuns, logger);
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
            throw new ServingException(Failure.Unavailable(OnnxErrors.Describe(exception, source.Path), LoadFailures.RetryAfter), exception);
        }
        finally
        {
            MemoryUse.End();
            _heap.Freed();
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

    private ExecutionProvider ChooseProvider(string model, long version, ExecutionProvider wanted)
    {
        if (wanted == ExecutionProvider.Cpu || environment.Providers.Contains(OpenVinoProvider))
        {
            return wanted == ExecutionProvider.Cpu ? ExecutionProvider.Cpu : ExecutionProvider.OpenVino;
        }

        var available = string.Join(", ", environment.Providers);
        if (wanted == ExecutionProvider.OpenVino)
        {
            throw new ServingException(Failure.Unavailable(
                $"execution_provider 'openvino' is not in this build of ONNX Runtime {environment.Version}, which has {available}; " +
                "'cpu' runs everywhere, 'auto' falls back to it",
                LoadFailures.RetryAfter));
        }

        Log.ProviderFellBack(logger, model, version, available);
        return ExecutionProvider.Cpu;
    }

    private static SessionOptions Options(string model, long version, ModelSettings settings, ExecutionProvider provider, int threads)
    {
        var options = new SessionOptions
        {
            LogId = string.Create(CultureInfo.InvariantCulture, $"{model}/{version}"),
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = settings.GraphOptimization switch
            {
                GraphOptimization.Disable => GraphOptimizationLevel.ORT_DISABLE_ALL,
                GraphOptimization.Basic => GraphOptimizationLevel.ORT_ENABLE_BASIC,
                GraphOptimization.Extended => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
                _ => GraphOptimizationLevel.ORT_ENABLE_ALL,
            },
        };

        options.ShareAllocator();

        // Threads that spin between operators take the processors that other models and the network need.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (provider == ExecutionProvider.OpenVino)
        {
            options.AppendExecutionProvider_OpenVINO("CPU");
        }

        return options;
    }
}

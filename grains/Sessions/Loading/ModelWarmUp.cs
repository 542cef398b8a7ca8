using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Grains.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>Warms the sessions of a model up with the sample beside it, or with zeros.</summary>
/// <param name="samples">Reads the samples beside models; null leaves them.</param>
internal sealed class ModelWarmUp(ISampleReader? samples, TimeProvider time, ILogger logger)
{
    private readonly WarmUp _runs = new(time);

    /// <summary>A graph that does not take zeros, or its sample, serves all the same.</summary>
    /// <param name="session">One of the model's.</param>
    /// <param name="slots">Runs at once.</param>
    /// <returns>How long the shortest run took; null where there was none.</returns>
    public TimeSpan? Run(InferenceSession session, LoadedModel model, VersionContent content, int slots, CancellationToken cancellationToken)
    {
        if (!model.WarmsUp)
        {
            return null;
        }

        try
        {
            using var inputs = Sample(model, content) ?? WarmUpInputs.Zeros(model.Signature);
            return inputs is null
                ? null
                : _runs.Run(session, inputs, model.Signature.OutputNames, slots, model.MaxRunBytes, model.RunMemory.Note, cancellationToken).Shortest;
        }
        catch (OnnxRuntimeException exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.NotWarmedUp(logger, model.Name, model.Version, exception.Message.TrimEnd());
            return null;
        }
    }

    /// <summary>The sample beside the model; null where there is none that fits.</summary>
    private WarmUpInputs? Sample(LoadedModel model, VersionContent content)
    {
        if (content.Sample is not { } sample || samples is null)
        {
            return null;
        }

        try
        {
            return WarmUpInputs.Of(samples.Read(sample, VersionContent.MaxSample), model.Name, model.Signature);
        }
        catch (ServingException exception)
        {
            Log.SampleDoesNotFit(logger, model.Name, model.Version, exception.Failure.Message);
            return null;
        }
    }
}

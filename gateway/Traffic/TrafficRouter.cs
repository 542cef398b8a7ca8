using Cluster.Gateway.Serving;

namespace Cluster.Gateway.Traffic;

/// <summary>Sends requests for aliases with a rule to the active model or to the candidate, has copies made, and counts what became of them.</summary>
internal sealed class TrafficRouter(InferenceDispatcher dispatcher, Mirrors mirrors, Rollbacks rollbacks, TimeProvider time)
{
    /// <summary>As <see cref="InferenceDispatcher.InferAsync"/>, for a call with a ticket. A version that the client names is the active model's, and the rule is not for it.</summary>
    public ValueTask<DispatchedReply> InferAsync(InferCall call, TrafficTicket ticket, CancellationToken cancellationToken)
    {
        if (call.Version.Length > 0)
        {
            return dispatcher.InferAsync(call, cancellationToken);
        }

        var rule = ticket.Rule;
        if (ticket.IsActiveOnly || !rule.Chooses(ticket.Sticky, call))
        {
            return RunAsync(rule, call with { Version = rule.ActiveVersion }, TrafficLeg.Active, null, cancellationToken);
        }

        return rule.Rule.Shadow
            ? RunAsync(rule, call with { Version = rule.ActiveVersion }, TrafficLeg.Active, mirrors.TryTake(rule, call.Message), cancellationToken)
            : RunAsync(rule, ToCandidate(rule, call), TrafficLeg.Candidate, null, cancellationToken);
    }

    /// <summary>Where the alias leads is followed should the candidate be gone, unless a version of it is meant, which another model does not have.</summary>
    private static InferCall ToCandidate(LiveRule rule, InferCall call) => call with
    {
        Model = rule.Rule.Candidate,
        Version = rule.CandidateVersion,
        Alias = rule.CandidateVersion.Length > 0 ? null : call.Alias,
    };

    private async ValueTask<DispatchedReply> RunAsync(LiveRule rule, InferCall call, TrafficLeg leg, Mirror? mirror, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        DispatchedReply answer;
        try
        {
            answer = await dispatcher.InferAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A failure that is no answer is the model's all the same, unless the client gave up.
            mirror?.Dispose();
            var failed = exception is OperationCanceledException ? TrafficOutcome.Cancelled : TrafficOutcome.Failure;
            if (rule.Ended(leg, failed, time.GetElapsedTime(start)) is { } reason)
            {
                rollbacks.Begin(rule, reason);
            }

            throw;
        }

        var elapsed = time.GetElapsedTime(start);
        var outcome = TrafficOutcomes.Of(answer.Reply, call.Timeout, elapsed);

        // An alias that moved meanwhile has had another model answer, of which the rule knows nothing.
        if (answer.Model != call.Model)
        {
            mirror?.Dispose();
            return answer;
        }

        mirror?.Begin(answer.Reply);
        if (rule.Ended(leg, outcome, elapsed) is { } judgement)
        {
            rollbacks.Begin(rule, judgement);
        }

        return answer;
    }
}

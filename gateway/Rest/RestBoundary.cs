using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Rest;

/// <summary>The edge where whatever a handler throws becomes an HTTP answer.</summary>
internal sealed class RestBoundary(ILogger<RestBoundary> logger)
{
    public RequestDelegate Around(RequestDelegate handler) => context => RunAsync(handler, context);

    private async Task RunAsync(RequestDelegate handler, HttpContext context)
    {
        try
        {
            await handler(context);
        }
        catch (ServingException e) when (!context.Response.HasStarted)
        {
            await RefuseAsync(context, e.Failure);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            Log.RequestRefused(logger, context.Request.Method, context.Request.Path, e.StatusCode, e.Message);
            await RestErrors.WriteAsync(context, e.StatusCode, e.Message);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            Log.RequestAborted(logger, context.Request.Method, context.Request.Path);
            SetStatus(context, StatusCodes.Status499ClientClosedRequest);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Log.RequestFailed(logger, context.Request.Method, context.Request.Path, e);
            await RestErrors.WriteAsync(context, Failure.Internal("internal error"));
        }
        catch (Exception e)
        {
            // A client must not take half an answer for a whole one.
            Log.ResponseBroken(logger, context.Request.Method, context.Request.Path, e);
            context.Abort();
        }
    }

    private Task RefuseAsync(HttpContext context, Failure failure)
    {
        Log.RequestRefused(logger, context.Request.Method, context.Request.Path, RestErrors.StatusOf(failure), failure.Message);
        return RestErrors.WriteAsync(context, failure);
    }

    private static void SetStatus(HttpContext context, int status)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = status;
        }
    }
}

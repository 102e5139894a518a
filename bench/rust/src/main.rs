//! A TCP proxy as tokio's users mostly write it: copy_bidirectional, which reads and writes, on one
//! thread.
//!
//!     tokio-proxy host:port target-host:port

use std::io::Result;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, listen, target] = arguments.as_slice() else {
        eprintln!("usage: tokio-proxy host:port target-host:port");
        std::process::exit(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(serve(listen, Arc::from(target.as_str())))
}

async fn serve(listen: &str, target: Arc<str>) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    println!("listening tcp {}", listener.local_addr()?);
    loop {
        let (client, _) = listener.accept().await?;
        let target = target.clone();
        tokio::spawn(async move {
            // What a connection fails of is its own affair.
            let _ = forward(client, &target).await;
        });
    }
}

async fn forward(mut client: TcpStream, target: &str) -> Result<()> {
    let mut upstream = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut upstream).await?;
    Ok(())
}

console.log('publisher')
